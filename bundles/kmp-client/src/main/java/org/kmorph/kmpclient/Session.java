// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.kmorph.kmp.Backoff;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.RetryAnswer;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmpclient.KmpException.Reason;

/**
 * A session. Its own lock guards everything in it; what may call back (futures, the listener, closing a connection) is done after the
 * lock is let go, by {@link Aftermath}.
 */
final class Session implements KmpSession {
    /** A peer that does not read what it is sent is dropped: docs/kmp.md, Half a frame. */
    private static final long ROOM_DEADLINE_NANOS = TimeUnit.MILLISECONDS.toNanos(Limits.FRAME_DEADLINE_MILLIS);

    /** Frames that wait for room: one request, the answers to what the listener has taken, and some for what it was not shown. */
    private static final int MAX_WAITING = 2 * MAX_REQUESTS;

    private final Endpoint peer;
    private final String to;
    private final long instanceId;
    private final Duration connectDeadline;
    private final SessionListener listener;
    private final Surroundings surroundings;
    private final Consumer<Session> whenClosed;
    private final Inbound inbound;

    private final Map<Integer, Exchange<?>> sent = new LinkedHashMap<>();
    private final Deque<Exchange<?>> unsent = new ArrayDeque<>();
    private final Aftermath aftermath = new Aftermath();
    private Optional<Link> link = Optional.empty();
    private final Set<Exchange<?>> living = new LinkedHashSet<>();
    private int nextSequence;
    private boolean heartbeatDue;
    private int heartbeatWants;
    private boolean closed;

    Session(
            Endpoint peer,
            long instanceId,
            Duration connectDeadline,
            SessionListener listener,
            Surroundings surroundings,
            Consumer<Session> whenClosed) {
        this.peer = peer;
        this.to = " to instance " + instanceId + " at " + peer;
        this.instanceId = instanceId;
        this.connectDeadline = connectDeadline;
        this.listener = listener;
        this.surroundings = surroundings;
        this.whenClosed = whenClosed;
        this.inbound = new Inbound(this, listener, instanceId);
    }

    @Override
    public Endpoint peer() {
        return peer;
    }

    @Override
    public synchronized boolean connected() {
        return link.isPresent() && link.get().out.isOpen();
    }

    @Override
    public <A extends Message> CompletableFuture<A> request(Message request, Class<A> answer, Duration deadline) {
        return begin(new Exchange<>(request, answer, true), deadline);
    }

    @Override
    public <A extends Message> CompletableFuture<A> requestOnce(Message request, Class<A> answer, Duration deadline) {
        return begin(new Exchange<>(request, answer, false), deadline);
    }

    private <A extends Message> CompletableFuture<A> begin(Exchange<A> exchange, Duration deadline) {
        synchronized (this) {
            living.add(exchange);
            if (closed) {
                fail(exchange, Reason.CLOSED, "the session is closed");
            } else if (living.size() > MAX_REQUESTS) {
                fail(exchange, Reason.TOO_MANY, MAX_REQUESTS + " requests wait for their answers already");
            } else {
                unsent.add(exchange);
                pump();
                if (!exchange.done) {
                    exchange.deadline(surroundings.timer().after(deadline.toNanos(), () -> expire(exchange, deadline)));
                }
            }
        }
        aftermath.settle();
        return exchange.future;
    }

    /** Sends what waits, connecting first where that is needed. Locked. */
    private void pump() {
        if (link.isEmpty()) {
            connect();
            return;
        }
        Link own = link.get();
        while (!unsent.isEmpty() && own.out.isFree()) {
            transmit(own, unsent.remove());
        }
        watchForRoom(own);
    }

    private void transmit(Link own, Exchange<?> exchange) {
        int sequence = unusedSequence();
        try {
            own.out.send(
                    exchange.request,
                    sequence,
                    own.bootNanos(surroundings.time().nanos()));
        } catch (IllegalArgumentException e) {
            finish(exchange, () -> exchange.future.completeExceptionally(e));
            return;
        }
        exchange.sequence = Optional.of(sequence);
        sent.put(sequence, exchange);
        if (exchange.repeats) {
            long wait = AnswerTimes.nanos(exchange.request);
            exchange.attempt(surroundings.timer().after(wait, () -> unanswered(exchange, sequence, wait)));
        }
    }

    private int unusedSequence() {
        do {
            nextSequence = (nextSequence + 1) & Integer.MAX_VALUE;
        } while (sent.containsKey(nextSequence));
        return nextSequence;
    }

    private void connect() {
        Optional<Transport> transport = surroundings.transports().apply(peer.scheme());
        Link made = new Link(this, inbound, surroundings);
        link = Optional.of(made);
        if (transport.isEmpty()) {
            aftermath.add(() -> drop(
                    made,
                    "no transport for " + peer.scheme()
                            + " is installed; its bundle is missing or stopped: see \"bundle list\""));
        } else {
            aftermath.add(() -> connect(transport.get(), made));
        }
    }

    private void connect(Transport transport, Link made) {
        try {
            made.connecting(transport.connect(peer, connectDeadline, made));
        } catch (RuntimeException e) {
            drop(made, "the transport for " + peer.scheme() + " fails: " + e.getMessage());
        }
    }

    /** When there is no room, whoever waits for it does so for a bounded time. Locked. */
    private void watchForRoom(Link own) {
        if (own.out.isOpen() && !own.out.isFree()) {
            waitForRoom(own);
        }
    }

    private void waitForRoom(Link own) {
        if (own.roomWanted.isEmpty()) {
            int stall = own.stalls++;
            own.roomWanted = Optional.of(surroundings.timer().after(ROOM_DEADLINE_NANOS, () -> noRoom(own, stall)));
        }
    }

    private void noRoom(Link own, int stall) {
        boolean stuck;
        synchronized (this) {
            stuck = own.roomWanted.isPresent() && own.stalls == stall + 1;
        }
        if (stuck) {
            drop(own, "the agent has not read what it was sent for " + Limits.FRAME_DEADLINE_MILLIS + " ms");
        }
    }

    private static void roomFound(Link own) {
        own.roomWanted.ifPresent(Timer.Handle::cancel);
        own.roomWanted = Optional.empty();
    }

    void opened(Link own, Connection connection) {
        synchronized (this) {
            if (isCurrent(own)) {
                own.out.open(connection);
                aftermath.add(listener::connected);
                if (heartbeatDue) {
                    heartbeatDue = false;
                    sendHeartbeat(own, heartbeatWants);
                }
                pump();
            }
        }
        aftermath.settle();
    }

    void writable(Link own) {
        synchronized (this) {
            roomFound(own);
            if (isCurrent(own)) {
                own.out.flush();
                pump();
            }
        }
        aftermath.settle();
    }

    /** The connection is lost, or to be given up. Of one that was given up already nothing more is heard. */
    void drop(Link lost, String why) {
        synchronized (this) {
            if (!isCurrent(lost)) {
                return;
            }
            link = Optional.empty();
            heartbeatDue = false;
            roomFound(lost);
            aftermath.add(() -> {
                lost.abandon(why);
                listener.lost(why);
            });
            List<Exchange<?>> open = new ArrayList<>(sent.values());
            open.addAll(unsent);
            for (Exchange<?> exchange : open) {
                if (exchange.repeats && !closed) {
                    repeatLater(exchange, 0, exchange.failed(Reason.LOST, to, why));
                } else {
                    fail(exchange, closed ? Reason.CLOSED : Reason.LOST, why);
                }
            }
        }
        aftermath.settle();
    }

    private boolean isCurrent(Link one) {
        return link.isPresent() && link.get() == one;
    }

    /** Locked. */
    private void repeatLater(Exchange<?> exchange, long askedMillis, KmpException last) {
        withdraw(exchange);
        OptionalLong wait = Backoff.waitMillis(exchange.repetitions++, askedMillis, surroundings.random());
        if (wait.isEmpty()) {
            finish(exchange, () -> exchange.future.completeExceptionally(last));
        } else {
            exchange.attempt(surroundings
                    .timer()
                    .after(TimeUnit.MILLISECONDS.toNanos(wait.getAsLong()), () -> repeat(exchange)));
        }
    }

    private void repeat(Exchange<?> exchange) {
        synchronized (this) {
            if (!exchange.done) {
                unsent.add(exchange);
                pump();
            }
        }
        aftermath.settle();
    }

    /** The time that the protocol gives an answer is over: the connection is given up, which repeats the request on a new one. */
    private void unanswered(Exchange<?> exchange, int sequence, long waitNanos) {
        Optional<Link> own;
        synchronized (this) {
            own = sent.get(sequence) == exchange ? link : Optional.empty();
        }
        own.ifPresent(given -> drop(
                given,
                exchange.request.type() + " was not answered within " + TimeUnit.NANOSECONDS.toMillis(waitNanos)
                        + " ms"));
    }

    private void expire(Exchange<?> exchange, Duration deadline) {
        synchronized (this) {
            if (!exchange.done) {
                fail(exchange, Reason.TIMED_OUT, "no answer within " + deadline.toMillis() + " ms");
            }
        }
        aftermath.settle();
    }

    /** Locked. */
    private void fail(Exchange<?> exchange, Reason reason, String why) {
        finish(exchange, () -> exchange.future.completeExceptionally(exchange.failed(reason, to, why)));
    }

    /** Locked. */
    private void finish(Exchange<?> exchange, Runnable outcome) {
        withdraw(exchange);
        exchange.finish();
        living.remove(exchange);
        aftermath.add(outcome);
    }

    private void withdraw(Exchange<?> exchange) {
        exchange.sequence.ifPresent(sent::remove);
        exchange.sequence = Optional.empty();
        unsent.remove(exchange);
    }

    @Override
    public boolean heartbeat(int wants) {
        boolean taken;
        synchronized (this) {
            if (closed) {
                return false;
            }
            if (link.isPresent() && link.get().out.isOpen()) {
                return sendHeartbeat(link.get(), wants);
            }
            heartbeatDue = true;
            heartbeatWants = wants;
            pump();
            taken = true;
        }
        aftermath.settle();
        return taken;
    }

    private boolean sendHeartbeat(Link own, int wants) {
        long now = surroundings.time().nanos();
        int sequence = own.heartbeats.add(now);
        if (own.out.sendHeartbeat(wants, sequence, own.bootNanos(now))) {
            return true;
        }
        own.heartbeats.take(sequence);
        waitForRoom(own);
        return false;
    }

    /** Whether a heartbeat that is answered was sent over this connection, and when: else {@link HeartbeatRing#UNKNOWN}. */
    synchronized long heartbeatSent(Link over, int sequence) {
        return isCurrent(over) ? over.heartbeats.take(sequence) : HeartbeatRing.UNKNOWN;
    }

    /** An answer to one of the requests, or to none that waits: it is then ignored. */
    void answered(Link from, FrameView frame, MessageType type) {
        synchronized (this) {
            Optional<Exchange<?>> waiting =
                    isCurrent(from) ? Optional.ofNullable(sent.get(frame.sequence())) : Optional.empty();
            if (waiting.isEmpty()) {
                return;
            }
            Exchange<?> exchange = waiting.get();
            if (!exchange.isAnsweredBy(type)) {
                fail(exchange, Reason.WRONG_ANSWER, "is answered by " + type);
            } else {
                try {
                    answered(exchange, frame.message());
                } catch (MalformedPayloadException e) {
                    fail(exchange, Reason.WRONG_ANSWER, "the answer is malformed: " + e.getMessage());
                }
            }
        }
        aftermath.settle();
    }

    /** Locked. */
    private void answered(Exchange<?> exchange, Message answer) {
        if (answer instanceof ErrorAnswer error) {
            finish(exchange, () -> exchange.future.completeExceptionally(exchange.refused(to, error)));
        } else if (answer instanceof RetryAnswer retry) {
            KmpException asked = exchange.retry(to, retry);
            if (exchange.repeats) {
                repeatLater(exchange, retry.delayMillis(), asked);
            } else {
                finish(exchange, () -> exchange.future.completeExceptionally(asked));
            }
        } else {
            Optional<String> wrong = exchange.wrong(answer, instanceId);
            if (wrong.isPresent()) {
                fail(exchange, Reason.WRONG_ANSWER, wrong.get());
            } else {
                finish(exchange, () -> exchange.complete(answer));
            }
        }
    }

    /** Whether a further request of the peer may wait for its answer. */
    synchronized boolean takes(Link from) {
        if (from.unanswered == MAX_REQUESTS) {
            return false;
        }
        from.unanswered++;
        return true;
    }

    /** Answers one of the requests that were handed to the listener. */
    void answer(Link over, int sequence, Message answer) {
        synchronized (this) {
            over.unanswered--;
        }
        reply(over, sequence, answer);
    }

    void reply(Link over, int sequence, Message answer) {
        synchronized (this) {
            if (isCurrent(over)) {
                over.out.send(
                        answer, sequence, over.bootNanos(surroundings.time().nanos()));
                watchForRoom(over);
                if (over.out.waits() > MAX_WAITING) {
                    aftermath.add(() -> drop(over, "the agent does not read the answers that it asks for"));
                }
            }
        }
        aftermath.settle();
    }

    @Override
    public void reset(String why) {
        Optional<Link> own;
        synchronized (this) {
            own = link;
        }
        own.ifPresent(given -> drop(given, why));
    }

    @Override
    public void close() {
        close("the session is closed");
    }

    void close(String why) {
        synchronized (this) {
            closed = true;
        }
        reset(why);
        synchronized (this) {
            new ArrayList<>(living).forEach(exchange -> fail(exchange, Reason.CLOSED, why));
        }
        aftermath.settle();
        whenClosed.accept(this);
    }
}
