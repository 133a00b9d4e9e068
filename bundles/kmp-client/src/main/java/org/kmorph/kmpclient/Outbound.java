// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.kmorph.api.transport.Connection;
import org.kmorph.kmp.FrameEncoder;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.HeartbeatRequestFlyweight;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.TransferData;

/**
 * Frames on their way out of one connection. What the transport refuses waits here, and nothing overtakes it but heartbeats, which do
 * not wait. At most one request waits here, and as many answers as the session allows. Guarded by the session.
 */
final class Outbound {
    private static final int OVERHEAD = 64 << 10;

    private final FrameEncoder encoder = new FrameEncoder();
    private final ByteBuffer heartbeat =
            ByteBuffer.allocate(FrameView.HEADER_LENGTH + HeartbeatRequestFlyweight.LENGTH);
    private final HeartbeatRequestFlyweight heartbeatRequest =
            new HeartbeatRequestFlyweight().wrap(heartbeat, FrameView.HEADER_LENGTH);
    private final Deque<ByteBuffer> waiting = new ArrayDeque<>();
    private Optional<Connection> connection = Optional.empty();

    void open(Connection opened) {
        connection = Optional.of(opened);
    }

    boolean isOpen() {
        return connection.isPresent();
    }

    /** Whether a further request may be sent: the connection is open and nothing waits. */
    boolean isFree() {
        return isOpen() && waiting.isEmpty();
    }

    /** Sends a message, now or when there is room. */
    void send(Message message, int sequence, long timestampNanos) {
        ByteBuffer frame;
        if (message instanceof TransferData data) {
            int room = FrameView.HEADER_LENGTH + data.chunk().data().remaining() + OVERHEAD;
            frame = ByteBuffer.allocate(room);
            encoder.encode(message, sequence, timestampNanos, frame);
            frame.flip();
        } else {
            frame = encoder.encode(message, sequence, timestampNanos);
        }
        waiting.add(frame);
        flush();
    }

    /** Sends a heartbeat, or does not: {@code false} when there is no room. */
    boolean sendHeartbeat(int wants, int sequence, long timestampNanos) {
        if (!isFree()) {
            return false;
        }
        heartbeatRequest.wants(wants);
        encoder.finish(
                heartbeat, 0, MessageType.HEARTBEAT_REQ, sequence, timestampNanos, HeartbeatRequestFlyweight.LENGTH);
        return connection.get().send(heartbeat.clear());
    }

    /** Sends what waits, as far as the transport takes it. */
    void flush() {
        while (!waiting.isEmpty() && connection.isPresent() && connection.get().send(waiting.peek())) {
            waiting.remove();
        }
    }

    /** How many frames wait. */
    int waits() {
        return waiting.size();
    }
}
