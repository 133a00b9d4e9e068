// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Little-endian integers at an index of a buffer, whatever its own byte order, its position left alone. Nothing is
 * allocated. An index beyond the limit is an IndexOutOfBoundsException.
 */
public final class LittleEndian {
    private static final VarHandle SHORT =
            MethodHandles.byteBufferViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {}

    public static int u8(ByteBuffer buffer, int at) {
        return buffer.get(at) & 0xff;
    }

    public static int u16(ByteBuffer buffer, int at) {
        return (short) SHORT.get(buffer, at) & 0xffff;
    }

    public static int i32(ByteBuffer buffer, int at) {
        return (int) INT.get(buffer, at);
    }

    public static long u32(ByteBuffer buffer, int at) {
        return i32(buffer, at) & 0xffff_ffffL;
    }

    public static long i64(ByteBuffer buffer, int at) {
        return (long) LONG.get(buffer, at);
    }

    public static void put8(ByteBuffer buffer, int at, int value) {
        buffer.put(at, (byte) value);
    }

    public static void put16(ByteBuffer buffer, int at, int value) {
        SHORT.set(buffer, at, (short) value);
    }

    public static void put32(ByteBuffer buffer, int at, int value) {
        INT.set(buffer, at, value);
    }

    public static void put64(ByteBuffer buffer, int at, long value) {
        LONG.set(buffer, at, value);
    }
}
