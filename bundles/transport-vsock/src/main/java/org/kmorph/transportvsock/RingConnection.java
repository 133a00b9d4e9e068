// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.transportvsock.stream.Action;
import org.kmorph.transportvsock.stream.Action.Closed;
import org.kmorph.transportvsock.stream.Action.Deliver;
import org.kmorph.transportvsock.stream.Action.Forget;
import org.kmorph.transportvsock.stream.Action.Opened;
import org.kmorph.transportvsock.stream.Action.Send;
import org.kmorph.transportvsock.stream.Event;
import org.kmorph.transportvsock.stream.Op;
import org.kmorph.transportvsock.stream.Stream;
import org.kmorph.transportvsock.stream.Stream.Phase;
import org.kmorph.transportvsock.stream.Stream.Step;

/** A stream over a {@link Link}: what {@link Stream} decides is done here. */
final class RingConnection extends QueuedConnection {
    /** How long the peer may take to say that it has closed too. */
    private static final Duration CLOSING = Duration.ofSeconds(2);

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Link link;
    private final long peerPort;
    private long localPort;
    private Stream stream = new Stream(Phase.GONE, 0, 0, 0, 0, 0, false);

    RingConnection(Loop loop, Link link, long peerPort, ConnectionHandler handler, int queueBytes) {
        super(loop, "vsock:" + link.address().contextId() + ":" + peerPort, handler, queueBytes);
        this.link = link;
        this.peerPort = peerPort;
    }

    long peerPort() {
        return peerPort;
    }

    long localPort() {
        return localPort;
    }

    void localPort(long port) {
        localPort = port;
    }

    /** There is a session: connects, if it has not yet. */
    void begin() {
        if (stream.phase() == Phase.GONE && !hasEnded()) {
            take(Stream.connect(), NOTHING);
        }
    }

    /** The peer has asked for it: says yes. */
    void accept(Event.Frame request) {
        take(Stream.accept(request), NOTHING);
    }

    void on(Event event, ByteBuffer payload) {
        take(stream.on(event), payload);
        flush();
    }

    private void take(Step step, ByteBuffer payload) {
        stream = step.next();
        for (Action action : step.actions()) {
            perform(action, payload);
        }
        link.publish();
    }

    private void perform(Action action, ByteBuffer payload) {
        if (action instanceof Send send) {
            link.post(this, send.op(), send.flags(), send.forwarded());
        } else if (action instanceof Opened) {
            nowOpen();
        } else if (action instanceof Deliver) {
            received(payload);
        } else if (action instanceof Closed closed) {
            ended(peer() + ": " + closed.why());
            if (stream.phase() == Phase.CLOSING) {
                loop().after(CLOSING, () -> on(new Event.Expired(), NOTHING));
            }
        } else if (action instanceof Forget) {
            link.remove(this);
        }
    }

    @Override
    void flush() {
        while (stream.phase() == Phase.OPEN && waiting() > 0) {
            Step step = stream.on(new Event.Waiting(waiting()));
            if (step.actions().isEmpty()) {
                return;
            }
            Send send = (Send) step.actions().get(0);
            if (send.op() != Op.RW) {
                take(step, NOTHING);
                return;
            }
            ByteBuffer payload = ByteBuffer.allocate(send.bytes());
            peek(payload);
            if (!link.data(this, payload.flip(), send.forwarded())) {
                return;
            }
            stream = step.next();
            sent(send.bytes());
        }
        link.publish();
    }

    @Override
    void giveUp(String why) {
        if (stream.phase() == Phase.GONE) {
            ended(why);
            link.remove(this);
        } else {
            on(new Event.Close(why), NOTHING);
        }
    }
}
