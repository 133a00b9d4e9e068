// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.List;

/** Buffers as readv(2) and writev(2) take them. */
final class Vectors {
    /** struct iovec of LP64, sys/uio.h: address and length. */
    static final int IOVEC_BYTES = 16;

    /** UIO_MAXIOV, linux/uio.h. */
    private static final int MOST = 1024;

    private Vectors() {}

    @FunctionalInterface
    interface Call {
        long call(Pointer vectors, int count);
    }

    /** Makes the call over what remains in the buffers, and moves their positions by as much as it returns. */
    static long over(List<ByteBuffer> buffers, Call call) {
        int count = Math.min(MOST, buffers.size());
        try (Memory vectors = new Memory(Math.max(1, count) * (long) IOVEC_BYTES)) {
            for (int i = 0; i < count; i++) {
                ByteBuffer buffer = buffers.get(i);
                if (!buffer.isDirect()) {
                    throw new IllegalArgumentException("a direct buffer was expected");
                }
                Pointer start = Native.getDirectBufferPointer(buffer);
                vectors.setPointer((long) i * IOVEC_BYTES, start.share(buffer.position()));
                vectors.setLong((long) i * IOVEC_BYTES + Long.BYTES, buffer.remaining());
            }
            long result = call.call(vectors, count);
            long left = result;
            for (int i = 0; i < count && left > 0; i++) {
                ByteBuffer buffer = buffers.get(i);
                int step = (int) Math.min(left, buffer.remaining());
                buffer.position(buffer.position() + step);
                left -= step;
            }
            return result;
        }
    }
}
