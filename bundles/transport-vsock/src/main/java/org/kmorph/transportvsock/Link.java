// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntSupplier;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.api.transport.VsockLink;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.transportvsock.ring.RingListener;
import org.kmorph.transportvsock.ring.RingSide;
import org.kmorph.transportvsock.stream.Event;
import org.kmorph.transportvsock.stream.Event.Frame;
import org.kmorph.transportvsock.stream.Header;
import org.kmorph.transportvsock.stream.Op;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The link to one kernel, with this process as the host's side of it: streams over a {@link RingSide}. All of it happens on the loop's
 * thread. Without an {@link Attachment} it has no session; connections wait for one until their deadline.
 */
final class Link implements RingListener {
    /** What becomes of connections that the peer asks for. */
    interface Incoming {
        boolean listensAt(long localPort);

        /** @return whether it was taken; a reset answers it otherwise */
        boolean asked(Link link, long localPort, long peerPort, Frame request);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Link.class);

    private static final long HOST_CID = 2;

    /** The first port that connections are made from; those below are for who listens. */
    private static final long FIRST_PORT = 1024;

    /** So many frames are taken before others of the loop have their turn. */
    private static final int TURN = 64;

    /** With so many frames waiting to be sent that nobody pays for, none is taken that might bring forth another. */
    private static final int MOST_WAITING = 1024;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Loop loop;
    private final VsockLink address;
    private final IntSupplier random;
    private final Incoming incoming;
    private final Map<Long, RingConnection> streams = new HashMap<>();
    private final Set<RingConnection> blocked = new LinkedHashSet<>();
    private final Deque<Header> waiting = new ArrayDeque<>();
    private final Map<Integer, CompletableFuture<Reach>> probes = new HashMap<>();
    private final Set<CompletableFuture<Reach>> unasked = new LinkedHashSet<>();
    private Optional<Attachment> attachment = Optional.empty();
    private Optional<RingSide> ring = Optional.empty();
    private Runnable detached = () -> {};
    private long nextPort = FIRST_PORT;
    private boolean pumping;

    Link(Loop loop, VsockLink address, IntSupplier random, Incoming incoming) {
        this.loop = loop;
        this.incoming = incoming;
        this.address = address;
        this.random = random;
    }

    VsockLink address() {
        return address;
    }

    /**
     * Begins a life of this side.
     *
     * @param onDetached called once when the keeper has gone; the attachment was closed then
     */
    void attach(Attachment made, Runnable onDetached) throws ErrnoException {
        try {
            RingSide side = new RingSide(made.memory().memory(), 0, address.id(), made::ring, random, this);
            for (int bell : made.waits()) {
                loop.watch(bell, true, false, (readable, writable) -> rung(made));
            }
            loop.watch(made.keeper().fd(), true, false, (readable, writable) -> keeperSpeaks(made));
            attachment = Optional.of(made);
            ring = Optional.of(side);
            detached = onDetached;
            side.start(now());
            unasked.forEach(probe -> probes.put(side.ping(), probe));
            unasked.clear();
            lookAgain(side);
            pump();
        } catch (ErrnoException | IllegalArgumentException e) {
            forget(made);
            throw e;
        }
    }

    private void lookAgain(RingSide side) {
        loop.after(Duration.ofMillis(RingSide.LOOK_MS / 2), () -> {
            if (ring.equals(Optional.of(side))) {
                pump();
                lookAgain(side);
            }
        });
    }

    private void rung(Attachment by) {
        try {
            by.drain();
        } catch (IOException e) {
            detach("its doorbell failed: " + e.getMessage());
            return;
        }
        pump();
    }

    /** It tells how the kernel ends, which others listen for; of interest here is only whether it is there. */
    private void keeperSpeaks(Attachment by) {
        try {
            if (by.keeper().receive(256, 0).bytes().length == 0) {
                detach("its keeper has gone");
            }
        } catch (ErrnoException e) {
            detach("its keeper failed: " + e.getMessage());
        }
    }

    /** Ends this side's life, with all its connections. */
    void detach(String why) {
        attachment.ifPresent(made -> {
            // before the ring stops, which would tell them less
            everyStream(new Event.LinkDown("the link to context id " + address.contextId() + " was given up: " + why));
            ring.ifPresent(RingSide::stop);
            ring = Optional.empty();
            attachment = Optional.empty();
            unasked.addAll(probes.values());
            probes.clear();
            forget(made);
            detached.run();
        });
    }

    /** Ends it for good: connections that wait for a session end too. What becomes of the kernel is not known here. */
    void end(String why) {
        detached = () -> {};
        detach(why);
        List.copyOf(streams.values()).forEach(stream -> stream.close(why));
        unasked.forEach(probe -> probe.completeExceptionally(new IOException(why)));
        unasked.clear();
    }

    private void forget(Attachment made) {
        made.waits().forEach(loop::forget);
        loop.forget(made.keeper().fd());
        made.close();
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    /** Adds a stream that this side opens; it connects at once or when there is a session. */
    void connect(RingConnection stream, Duration deadline) {
        long local = freePort(stream.peerPort());
        streams.put(key(local, stream.peerPort()), stream);
        stream.localPort(local);
        stream.expectOpenWithin(deadline);
        if (hasSession()) {
            stream.begin();
            publish();
        }
    }

    /** Adds a stream that the peer has asked for, and answers. */
    void accept(RingConnection stream, long localPort, Frame request) {
        streams.put(key(localPort, stream.peerPort()), stream);
        stream.localPort(localPort);
        stream.accept(request);
    }

    private long freePort(long peerPort) {
        while (streams.containsKey(key(nextPort, peerPort)) || incoming.listensAt(nextPort)) {
            nextPort = nextPort == 0xFFFF_FFFEL ? FIRST_PORT : nextPort + 1;
        }
        long found = nextPort;
        nextPort = nextPort == 0xFFFF_FFFEL ? FIRST_PORT : nextPort + 1;
        return found;
    }

    private static long key(long localPort, long peerPort) {
        return localPort << 32 | peerPort;
    }

    void remove(RingConnection stream) {
        streams.remove(key(stream.localPort(), stream.peerPort()));
        blocked.remove(stream);
    }

    boolean hasSession() {
        return ring.isPresent() && ring.get().up();
    }

    /** Asks the kernel itself, which answers in its interrupt handler; while the link has no keeper, as soon as it has one. */
    void probe(Duration deadline, CompletableFuture<Reach> answer) {
        if (!loop.accepting()) {
            answer.completeExceptionally(new IOException(VsockTransport.STOPPED));
            return;
        }
        ring.ifPresentOrElse(side -> probes.put(side.ping(), answer), () -> unasked.add(answer));
        loop.after(deadline, () -> {
            if (unasked.remove(answer) || probes.values().remove(answer)) {
                answer.complete(Reach.SILENT);
            }
        });
    }

    /** Sends a frame without payload, now or when there is room; frames keep their order. */
    void post(RingConnection stream, Op op, int flags, int forwarded) {
        post(header(stream, op, flags, 0, forwarded));
    }

    private void post(Header header) {
        if (!waiting.isEmpty() || !produce(header, NOTHING)) {
            waiting.add(header);
        }
    }

    /** Sends a frame with payload, if there is room now; the stream is asked again when there is. */
    boolean data(RingConnection stream, ByteBuffer payload, int forwarded) {
        boolean taken = waiting.isEmpty()
                && produce(header(stream, Op.RW, 0, payload.remaining(), forwarded), payload.duplicate());
        if (!taken) {
            blocked.add(stream);
        }
        return taken;
    }

    private boolean produce(Header header, ByteBuffer payload) {
        return ring.isPresent() && ring.get().produce(header, payload);
    }

    void publish() {
        if (!pumping) {
            ring.ifPresent(RingSide::publish);
        }
    }

    private Header header(RingConnection stream, Op op, int flags, int length, int forwarded) {
        return new Header(
                HOST_CID,
                address.contextId(),
                stream.localPort(),
                stream.peerPort(),
                length,
                Header.STREAM,
                op.number(),
                flags,
                org.kmorph.transportvsock.stream.Stream.BUFFER,
                forwarded);
    }

    /** Does all that can be done now. */
    private void pump() {
        if (ring.isEmpty()) {
            return;
        }
        RingSide side = ring.get();
        pumping = true;
        try {
            side.look(now());
            boolean more = sendWaiting() && side.consume(TURN);
            sendWaiting();
            List<RingConnection> again = new ArrayList<>(blocked);
            blocked.clear();
            again.forEach(RingConnection::flush);
            if (more) {
                loop.execute(this::pump);
            }
        } finally {
            pumping = false;
        }
        side.publish();
    }

    /** @return whether few enough wait still */
    private boolean sendWaiting() {
        while (!waiting.isEmpty() && produce(waiting.element(), NOTHING)) {
            waiting.remove();
        }
        return waiting.size() < MOST_WAITING;
    }

    private void everyStream(Event event) {
        waiting.clear();
        List.copyOf(streams.values()).forEach(stream -> stream.on(event, NOTHING));
    }

    @Override
    public void up() {
        List.copyOf(streams.values()).forEach(RingConnection::begin);
    }

    @Override
    public void down(String why) {
        everyStream(new Event.LinkDown("context id " + address.contextId() + ": " + why));
    }

    @Override
    public void frame(Header header, ByteBuffer payload) {
        // of another's context id: dropped, by the rules of the link
        if (header.sourceCid() != address.contextId() || header.destinationCid() != HOST_CID) {
            return;
        }
        Optional<Op> op = Op.of(header.op());
        Optional<RingConnection> stream =
                Optional.ofNullable(streams.get(key(header.destinationPort(), header.sourcePort())));
        if (op.isPresent() && header.type() == Header.STREAM) {
            Frame frame =
                    new Frame(op.get(), header.flags(), header.length(), header.bufferAllocated(), header.forwarded());
            if (stream.isPresent()) {
                stream.get().on(frame, payload);
                return;
            }
            if (op.get() == Op.REQUEST && incoming.asked(this, header.destinationPort(), header.sourcePort(), frame)) {
                return;
            }
        }
        if (header.op() != Op.RST.number()) {
            post(header.reset());
        }
    }

    @Override
    public void pong(int number) {
        Optional.ofNullable(probes.remove(number)).ifPresent(probe -> probe.complete(Reach.ANSWERS));
    }

    @Override
    public void remark(String text) {
        LOG.warn("context id {}: {}", address.contextId(), text);
    }
}
