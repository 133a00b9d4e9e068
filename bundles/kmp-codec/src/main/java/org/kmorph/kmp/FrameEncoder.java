// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.nio.ByteBuffer;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.LittleEndian;
import org.kmorph.kmp.wire.PayloadWriter;

/** Writes frames. Not thread-safe: each thread has its own. */
public final class FrameEncoder {
    private final FrameCrc crc = new FrameCrc();

    /**
     * Writes a message's frame at the buffer's position, which moves behind it.
     *
     * @param sequence chosen by the requester and unique among its unanswered requests; an answer repeats its request's
     * @param timestampNanos this machine's nanoseconds since its boot
     * @throws IllegalArgumentException for a value that its field cannot hold, or a payload over the type's limit
     * @throws java.nio.BufferOverflowException when the buffer is too small; its position has not moved
     */
    public void encode(Message message, int sequence, long timestampNanos, ByteBuffer target) {
        int at = target.position();
        PayloadWriter payload = new PayloadWriter(target, at + FrameView.HEADER_LENGTH);
        message.write(payload);
        int max = message.type().maxPayloadBytes();
        if (payload.length() > max) {
            throw new IllegalArgumentException(message.type() + " with a payload of " + payload.length()
                    + " bytes; at most " + max + " are allowed");
        }
        finish(target, at, message.type(), sequence, timestampNanos, payload.length());
        target.position(at + FrameView.HEADER_LENGTH + payload.length());
    }

    /** A message's frame in a buffer of its own, ready to be sent. */
    public ByteBuffer encode(Message message, int sequence, long timestampNanos) {
        int room = FrameView.HEADER_LENGTH + Limits.MAX_SMALL_PAYLOAD_BYTES + 1;
        while (true) {
            ByteBuffer frame = ByteBuffer.allocate(room);
            try {
                encode(message, sequence, timestampNanos, frame);
                return frame.flip();
            } catch (java.nio.BufferOverflowException e) {
                if (room > FrameView.HEADER_LENGTH + Limits.MAX_PAYLOAD_BYTES) {
                    throw new IllegalArgumentException(
                            message.type() + " with a payload of over " + Limits.MAX_PAYLOAD_BYTES
                                    + " bytes, the most that is allowed",
                            e);
                }
                room *= 4;
            }
        }
    }

    /**
     * Writes the header before a payload that already stands in the buffer. Allocates nothing.
     *
     * @param at the index at which the frame begins; the payload stands {@link FrameView#HEADER_LENGTH} after it
     */
    public void finish(
            ByteBuffer buffer, int at, MessageType type, int sequence, long timestampNanos, int payloadLength) {
        LittleEndian.put32(buffer, at, FrameView.MAGIC);
        LittleEndian.put16(buffer, at + FrameView.MSG_VERSION, FrameView.VERSION);
        LittleEndian.put16(buffer, at + FrameView.TYPE, type.code());
        LittleEndian.put32(buffer, at + FrameView.SEQUENCE, sequence);
        LittleEndian.put32(buffer, at + FrameView.PAYLOAD_LENGTH, payloadLength);
        LittleEndian.put64(buffer, at + FrameView.TIMESTAMP, timestampNanos);
        LittleEndian.put32(buffer, at + FrameView.CRC, 0);
        LittleEndian.put32(buffer, at + FrameView.RESERVED, 0);
        crc.begin();
        crc.update(buffer, at, FrameView.HEADER_LENGTH + payloadLength);
        LittleEndian.put32(buffer, at + FrameView.CRC, crc.value());
    }
}
