// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.kmp.FrameDecoder;
import org.kmorph.kmp.FrameFault;
import org.kmorph.kmp.FrameSink;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.HeartbeatAnswerFlyweight;
import org.kmorph.kmp.Replies;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;

/**
 * One connection of a session: what comes over it is decoded here, on the transport's event loop, and handed to the session. What is
 * guarded by the session's lock says so.
 */
final class Link implements ConnectionHandler, FrameSink {
    private static final long FRAME_DEADLINE_NANOS = TimeUnit.MILLISECONDS.toNanos(Limits.FRAME_DEADLINE_MILLIS);

    /** A last answer gets so long to leave before the connection is closed. */
    private static final long LINGER_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private static final long NONE = Long.MIN_VALUE;

    /** Guarded by the session. */
    final Outbound out = new Outbound();

    /** Guarded by the session. */
    final HeartbeatRing heartbeats = new HeartbeatRing();

    /** Requests of the peer that are not answered. Guarded by the session. */
    int unanswered;

    /** What ends the connection if the peer goes on not to read what it is sent. Guarded by the session. */
    Optional<Timer.Handle> roomWanted = Optional.empty();

    /** How often there was no room. Guarded by the session. */
    int stalls;

    private final Session session;
    private final Inbound inbound;
    private final Surroundings surroundings;
    private final long bootOffsetNanos;
    private final FrameDecoder decoder = new FrameDecoder();
    private final Receipt receipt = new Receipt();
    private volatile boolean dead;
    private volatile boolean lingers;
    private volatile long halfFrameSince = NONE;
    private volatile boolean halfFrameWatched;
    private volatile Optional<Connection> connection = Optional.empty();

    Link(Session session, Inbound inbound, Surroundings surroundings) {
        this.session = session;
        this.inbound = inbound;
        this.surroundings = surroundings;
        this.bootOffsetNanos = surroundings.bootNanos().getAsLong();
    }

    /** CLOCK_BOOTTIME. */
    long bootNanos(long nowNanos) {
        return nowNanos + bootOffsetNanos;
    }

    void connecting(Connection made) {
        if (connection.isEmpty()) {
            connection = Optional.of(made);
        }
        if (dead) {
            made.close("it is not wanted any more");
        }
    }

    /** Gives it up; what still comes over it is ignored. */
    void abandon(String why) {
        dead = true;
        if (lingers) {
            surroundings.timer().after(LINGER_NANOS, () -> connection.ifPresent(open -> open.close(why)));
        } else {
            connection.ifPresent(open -> open.close(why));
        }
    }

    @Override
    public void opened(Connection opened) {
        connection = Optional.of(opened);
        if (dead) {
            opened.close("it is not wanted any more");
        } else {
            session.opened(this, opened);
        }
    }

    @Override
    public void received(Connection from, ByteBuffer bytes) {
        receipt.receivedNanos = surroundings.time().nanos();
        if (dead) {
            bytes.position(bytes.limit());
            return;
        }
        decoder.feed(bytes, receipt.receivedNanos, this);
        halfFrameSince = decoder.hasPending() ? decoder.pendingSinceNanos() : NONE;
        if (halfFrameSince != NONE && !halfFrameWatched) {
            halfFrameWatched = true;
            surroundings.timer().after(FRAME_DEADLINE_NANOS, this::checkHalfFrame);
        }
    }

    private void checkHalfFrame() {
        halfFrameWatched = false;
        long since = halfFrameSince;
        if (since == NONE || dead) {
            return;
        }
        long left = FRAME_DEADLINE_NANOS - (surroundings.time().nanos() - since);
        if (left <= 0) {
            session.drop(this, "the rest of a frame has not come within " + Limits.FRAME_DEADLINE_MILLIS + " ms");
        } else {
            halfFrameWatched = true;
            surroundings.timer().after(left, this::checkHalfFrame);
        }
    }

    @Override
    public void writable(Connection has) {
        session.writable(this);
    }

    @Override
    public void closed(Connection was, String why) {
        session.drop(this, why);
    }

    @Override
    public void frame(FrameView frame) {
        if (dead) {
            return;
        }
        receipt.frame = frame;
        inbound.frame(this, frame, receipt);
    }

    @Override
    public void unknownType(FrameView header) {
        session.reply(this, header.sequence(), Replies.unsupportedType(header));
    }

    @Override
    public void fault(FrameFault fault, FrameView header) {
        String why =
                switch (fault) {
                    case WRONG_MAGIC -> "what comes is not KMP";
                    case WRONG_CRC -> "a frame's checksum is wrong";
                    case UNSUPPORTED_VERSION ->
                        "a frame is of version " + header.version() + ", version " + FrameView.VERSION
                                + " is spoken here";
                    case TOO_LARGE -> "a frame of " + header.payloadLength() + " bytes is over its limit";
                };
        Optional<ErrorAnswer> answer = Replies.to(fault, header);
        if (answer.isPresent()) {
            session.reply(this, header.sequence(), answer.get());
            lingers = true;
        }
        session.drop(this, why);
    }

    /** Lies over the frame that is being delivered. */
    static final class Receipt implements HeartbeatReceipt {
        private final HeartbeatAnswerFlyweight figures = new HeartbeatAnswerFlyweight();
        private FrameView frame = new FrameView();
        private long receivedNanos;
        long sentNanos;

        @Override
        public long sentNanos() {
            return sentNanos;
        }

        @Override
        public long receivedNanos() {
            return receivedNanos;
        }

        @Override
        public HeartbeatAnswerFlyweight figures() {
            return figures.wrap(frame.buffer(), frame.payloadAt());
        }

        @Override
        public List<Item> items() {
            try {
                return frame.message().items();
            } catch (MalformedPayloadException e) {
                return List.of();
            }
        }
    }
}
