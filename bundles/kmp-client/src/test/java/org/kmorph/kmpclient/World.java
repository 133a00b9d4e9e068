// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.kmorph.kmp.FrameDecoder;
import org.kmorph.kmp.FrameEncoder;
import org.kmorph.kmp.FrameFault;
import org.kmorph.kmp.FrameSink;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.wire.MalformedPayloadException;

/** A transport, a clock and a timer of one thread, in which time passes only when a test says so. */
final class World implements Transport, TimeSource, Timer {
    static final Endpoint PEER = new Endpoint("test", "agent");
    static final int ID = 7;

    /** Every connection that was asked for, oldest first. */
    final List<Wire> wires = new ArrayList<>();

    final List<String> events = new ArrayList<>();
    private final PriorityQueue<Timed> timed =
            new PriorityQueue<>(Comparator.comparingLong((Timed one) -> one.at).thenComparingLong(one -> one.number));
    private long now = 1_000_000_000_000L;
    private long number;
    boolean connects = true;

    Session session(SessionListener listener) {
        Surroundings surroundings = new Surroundings(
                this, () -> 0, this, scheme -> scheme.equals("test") ? Optional.of(this) : Optional.empty(), () -> 0);
        return new Session(PEER, ID, Duration.ofSeconds(5), listener, surroundings, closed -> {});
    }

    Session session() {
        return session(new SessionListener() {
            @Override
            public void connected() {
                events.add("connected");
            }

            @Override
            public void lost(String why) {
                events.add("lost: " + why);
            }

            @Override
            public void heartbeat(HeartbeatReceipt heartbeat) {
                events.add(
                        "heartbeat after " + (heartbeat.receivedNanos() - heartbeat.sentNanos()) / 1_000_000 + " ms");
            }
        });
    }

    /** The connection that was made last. */
    Wire wire() {
        return wires.get(wires.size() - 1);
    }

    @Override
    public long nanos() {
        return now;
    }

    @Override
    public Instant now() {
        return Instant.EPOCH.plusNanos(now);
    }

    void pass(Duration time) {
        long until = now + time.toNanos();
        while (!timed.isEmpty() && timed.peek().at <= until) {
            Timed next = timed.remove();
            now = Math.max(now, next.at);
            next.action.run();
        }
        now = until;
    }

    /** How many things are to be run later. */
    int timed() {
        return timed.size();
    }

    @Override
    public Handle after(long nanos, Runnable action) {
        Timed one = new Timed(now + nanos, number++, action);
        timed.add(one);
        return () -> timed.remove(one);
    }

    @Override
    public String scheme() {
        return "test";
    }

    @Override
    public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
        Wire wire = new Wire(handler);
        wires.add(wire);
        if (connects) {
            wire.open();
        }
        return wire;
    }

    private record Timed(long at, long number, Runnable action) {}

    /** One connection, and the agent at its other end. */
    final class Wire implements Connection, FrameSink {
        private final ConnectionHandler handler;
        private final FrameDecoder decoder = new FrameDecoder();

        /** What the agent was sent and has not looked at. */
        final Deque<Received> received = new ArrayDeque<>();

        boolean reads = true;
        Optional<String> closed = Optional.empty();

        Wire(ConnectionHandler handler) {
            this.handler = handler;
        }

        void open() {
            handler.opened(this);
        }

        /** The peer closes it, or the transport gives it up. */
        void breakOff(String why) {
            closed = Optional.of(why);
            handler.closed(this, why);
        }

        void readAgain() {
            reads = true;
            handler.writable(this);
        }

        void say(Message message, int sequence) {
            say(new FrameEncoder().encode(message, sequence, 0));
        }

        void say(ByteBuffer bytes) {
            handler.received(this, bytes);
        }

        @Override
        public boolean send(ByteBuffer bytes) {
            if (!reads || closed.isPresent()) {
                return false;
            }
            decoder.feed(bytes, now, this);
            return true;
        }

        @Override
        public void close(String why) {
            if (closed.isEmpty()) {
                breakOff(why);
            }
        }

        @Override
        public void frame(FrameView frame) {
            try {
                received.add(new Received(frame.message(), frame.sequence()));
            } catch (MalformedPayloadException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void unknownType(FrameView header) {
            throw new AssertionError("unknown type " + header.typeCode());
        }

        @Override
        public void fault(FrameFault fault, FrameView header) {
            throw new AssertionError(fault);
        }
    }

    /** A message as the agent received it. */
    record Received(Message message, int sequence) {}
}
