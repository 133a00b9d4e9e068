// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Writes a payload at an index of a buffer. Values that their field cannot hold are the caller's mistake:
 * {@link IllegalArgumentException}; a buffer that is too small is {@link java.nio.BufferOverflowException}. Not thread-safe.
 */
public final class PayloadWriter {
    private final ByteBuffer buffer;

    private final int begin;

    private int at;

    /** @param buffer written to from {@code begin} to its limit at most; its position and order are left alone */
    public PayloadWriter(ByteBuffer buffer, int begin) {
        this.buffer = buffer;
        this.begin = begin;
        this.at = begin;
    }

    public PayloadWriter u8(int value) {
        LittleEndian.put8(buffer, take(1), (int) within(value, 0xff));
        return this;
    }

    public PayloadWriter u16(int value) {
        LittleEndian.put16(buffer, take(2), (int) within(value, 0xffff));
        return this;
    }

    public PayloadWriter u32(long value) {
        LittleEndian.put32(buffer, take(4), (int) within(value, 0xffff_ffffL));
        return this;
    }

    public PayloadWriter i32(int value) {
        LittleEndian.put32(buffer, take(4), value);
        return this;
    }

    /** An unsigned 64-bit integer, given as the same bits. */
    public PayloadWriter u64(long value) {
        LittleEndian.put64(buffer, take(8), value);
        return this;
    }

    public PayloadWriter coded8(Coded value) {
        return u8(value.code());
    }

    public PayloadWriter coded16(Coded value) {
        return u16(value.code());
    }

    public PayloadWriter operation(UUID operation) {
        int to = take(16);
        LittleEndian.put64(buffer, to, Long.reverseBytes(operation.getMostSignificantBits()));
        LittleEndian.put64(buffer, to + 8, Long.reverseBytes(operation.getLeastSignificantBits()));
        return this;
    }

    public PayloadWriter reserved(int bytes) {
        int to = take(bytes);
        for (int i = 0; i < bytes; i++) {
            buffer.put(to + i, (byte) 0);
        }
        return this;
    }

    /** The remaining bytes of another buffer, whose position is left alone. */
    public PayloadWriter bytes(ByteBuffer source) {
        int length = source.remaining();
        buffer.put(take(length), source, source.position(), length);
        return this;
    }

    public PayloadWriter text(String text, int maxBytes) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > maxBytes || text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" does not fit; text of at most " + maxBytes + " bytes without nulls is expected");
        }
        buffer.put(take(bytes.length), bytes);
        return this;
    }

    /** How much has been written. */
    public int length() {
        return at - begin;
    }

    /** Writes a u16 over what stands {@code offset} bytes into the payload. */
    public void patch16(int offset, int value) {
        LittleEndian.put16(buffer, begin + offset, (int) within(value, 0xffff));
    }

    private static long within(long value, long max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException(value + " does not fit; 0 to " + max + " is expected");
        }
        return value;
    }

    private int take(int bytes) {
        if (bytes > buffer.limit() - at) {
            throw new java.nio.BufferOverflowException();
        }
        int to = at;
        at += bytes;
        return to;
    }
}
