// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.InputStream;
import java.nio.ByteBuffer;

/** What remains in a buffer, as a stream. */
final class BufferInput extends InputStream {
    private final ByteBuffer from;

    BufferInput(ByteBuffer from) {
        this.from = from;
    }

    @Override
    public int read() {
        return from.hasRemaining() ? Byte.toUnsignedInt(from.get()) : -1;
    }

    @Override
    public int read(byte[] to, int offset, int length) {
        if (length == 0) {
            return 0;
        }
        int count = Math.min(length, from.remaining());
        from.get(to, offset, count);
        return count == 0 ? -1 : count;
    }

    @Override
    public int available() {
        return from.remaining();
    }
}
