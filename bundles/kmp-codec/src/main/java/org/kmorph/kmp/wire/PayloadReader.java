// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.wire;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Reads a payload from its beginning to its end and never beyond. Whatever the bytes are, the worst that a method does is
 * throw {@link MalformedPayloadException}. Not thread-safe.
 */
public final class PayloadReader {
    private final ByteBuffer buffer;

    private final int begin;

    private final int end;

    private final int payloadBegin;

    private int at;

    /**
     * Reads a payload.
     *
     * @param buffer holds it; its position, limit and order are neither used nor changed
     * @throws IndexOutOfBoundsException when the range is not within the buffer's limit
     */
    public PayloadReader(ByteBuffer buffer, int begin, int length) {
        this(buffer, begin, length, begin);
    }

    private PayloadReader(ByteBuffer buffer, int begin, int length, int payloadBegin) {
        java.util.Objects.checkFromIndexSize(begin, length, buffer.limit());
        this.buffer = buffer;
        this.begin = begin;
        this.end = begin + length;
        this.payloadBegin = payloadBegin;
        this.at = begin;
    }

    public int u8() throws MalformedPayloadException {
        return LittleEndian.u8(buffer, take(1));
    }

    public int u16() throws MalformedPayloadException {
        return LittleEndian.u16(buffer, take(2));
    }

    public int i32() throws MalformedPayloadException {
        return LittleEndian.i32(buffer, take(4));
    }

    public long u32() throws MalformedPayloadException {
        return LittleEndian.u32(buffer, take(4));
    }

    /** An unsigned 64-bit integer, as the same bits. */
    public long u64() throws MalformedPayloadException {
        return LittleEndian.i64(buffer, take(8));
    }

    /** 16 bytes that name an operation, in the order in which a UUID is printed. */
    public UUID operation() throws MalformedPayloadException {
        int from = take(16);
        long high = Long.reverseBytes(LittleEndian.i64(buffer, from));
        return new UUID(high, Long.reverseBytes(LittleEndian.i64(buffer, from + 8)));
    }

    /** Passes over reserved bytes. */
    public void reserved(int bytes) throws MalformedPayloadException {
        take(bytes);
    }

    /** A u8 that is one of the values of an enumeration. */
    public <E extends Coded> E coded8(E[] values) throws MalformedPayloadException {
        int from = at;
        return coded(from, u8(), values);
    }

    /** A u16 that is one of the values of an enumeration. */
    public <E extends Coded> E coded16(E[] values) throws MalformedPayloadException {
        int from = at;
        return coded(from, u16(), values);
    }

    /** The next bytes without copying them: a read-only view that lasts as long as the buffer's contents. */
    public ByteBuffer bytes(int length) throws MalformedPayloadException {
        return buffer.asReadOnlyBuffer().slice(take(length), length);
    }

    /** A part of the payload, to be read by itself; offsets of what is malformed stay those of the payload. */
    public PayloadReader part(int length) throws MalformedPayloadException {
        return new PayloadReader(buffer, take(length), length, payloadBegin);
    }

    /** Text up to the end. */
    public String text(int maxBytes) throws MalformedPayloadException {
        int length = remaining();
        if (length > maxBytes) {
            throw malformed("text of " + length + " bytes; at most " + maxBytes);
        }
        byte[] bytes = new byte[length];
        int from = take(length);
        buffer.get(from, bytes);
        for (int i = 0; i < length; i++) {
            if (bytes[i] == 0) {
                throw new MalformedPayloadException(from + i - payloadBegin, "a null in text");
            }
        }
        return decode(bytes);
    }

    public int remaining() {
        return end - at;
    }

    /** A fault seen where reading stands. */
    public MalformedPayloadException malformed(String why) {
        return new MalformedPayloadException(at - payloadBegin, why);
    }

    private <E extends Coded> E coded(int from, int code, E[] values) throws MalformedPayloadException {
        for (E value : values) {
            if (value.code() == code) {
                return value;
            }
        }
        String what = values.getClass().getComponentType().getSimpleName();
        throw new MalformedPayloadException(from - payloadBegin, code + " is no " + what);
    }

    /** With ? for what is no UTF-8, so that what was read never grows when it is written again. */
    private static String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPLACE)
                    .replaceWith("?")
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalStateException("malformed input is replaced, never reported", e);
        }
    }

    private int take(int bytes) throws MalformedPayloadException {
        if (bytes < 0 || bytes > end - at) {
            throw malformed("ends after " + (end - begin) + " bytes; " + bytes + " more were expected");
        }
        int from = at;
        at += bytes;
        return from;
    }
}
