// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.wire.LittleEndian;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;

/**
 * A frame where it lies in a buffer: the header's fields, and where the payload is. A flyweight: {@link #wrap} moves it and
 * nothing is allocated but by {@link #message}. It checks nothing; {@link FrameDecoder} does. Not thread-safe.
 *
 * <p>Layout: {@code docs/kmp.md}, Frames.
 */
public final class FrameView {
    public static final int MAGIC = 0x4B4D5000;

    /** The version that is written, and the only one that is read. */
    public static final int VERSION = 1;

    public static final int HEADER_LENGTH = 32;

    static final int MSG_VERSION = 4;

    static final int TYPE = 6;

    static final int SEQUENCE = 8;

    static final int PAYLOAD_LENGTH = 12;

    static final int TIMESTAMP = 16;

    static final int CRC = 24;

    static final int RESERVED = 28;

    private ByteBuffer buffer = ByteBuffer.allocate(HEADER_LENGTH);

    private int at;

    /** Lays it over a buffer, whose position, limit and order it neither uses nor changes. */
    public FrameView wrap(ByteBuffer buffer, int at) {
        this.buffer = buffer;
        this.at = at;
        return this;
    }

    public ByteBuffer buffer() {
        return buffer;
    }

    /** The index in the buffer at which the payload begins. */
    public int payloadAt() {
        return at + HEADER_LENGTH;
    }

    public int magic() {
        return LittleEndian.i32(buffer, at);
    }

    public int version() {
        return LittleEndian.u16(buffer, at + MSG_VERSION);
    }

    public int typeCode() {
        return LittleEndian.u16(buffer, at + TYPE);
    }

    /** The message's type, if it is known. */
    public Optional<MessageType> type() {
        return MessageType.of(typeCode());
    }

    /** An opaque number that the answer repeats. */
    public int sequence() {
        return LittleEndian.i32(buffer, at + SEQUENCE);
    }

    public long payloadLength() {
        return LittleEndian.u32(buffer, at + PAYLOAD_LENGTH);
    }

    /** The sender's nanoseconds since its boot. */
    public long timestampNanos() {
        return LittleEndian.i64(buffer, at + TIMESTAMP);
    }

    public int crc() {
        return LittleEndian.i32(buffer, at + CRC);
    }

    /**
     * Reads the payload. What bulk data it has remains in the buffer and is gone when the frame is.
     *
     * @throws MalformedPayloadException when it is not as it should be
     * @throws IllegalStateException when the type is unknown; {@link FrameDecoder} delivers no such frame
     */
    public Message message() throws MalformedPayloadException {
        MessageType type =
                type().orElseThrow(() -> new IllegalStateException("msg_type " + typeCode() + " is unknown"));
        return type.read(new PayloadReader(buffer, payloadAt(), (int) payloadLength()));
    }
}
