// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of an lzop file, of which only the flags matter here; big-endian, by the kernel's lib/decompress_unlzo.c and lzop's own
 * format.
 */
record LzopHeader(int flags) {
    private static final int MAGIC_BYTES = 9;
    private static final int ADLER32_OF_DATA = 0x1;
    private static final int ADLER32_OF_PACKED = 0x2;
    private static final int EXTRA_FIELD = 0x40;
    private static final int CRC32_OF_DATA = 0x100;
    private static final int CRC32_OF_PACKED = 0x200;
    private static final int FILTER = 0x800;
    /** From this version on there are a needed version, a level and the upper half of the time. */
    private static final int LONGER_SINCE = 0x0940;

    /** Reads it; the buffer is at the first block then. */
    static LzopHeader read(ByteBuffer from) throws IOException {
        from.order(ByteOrder.BIG_ENDIAN).position(from.position() + MAGIC_BYTES);
        int version = Short.toUnsignedInt(from.getShort());
        boolean longer = version >= LONGER_SINCE;
        from.getShort();
        if (longer) {
            from.getShort();
        }
        from.get();
        if (longer) {
            from.get();
        }
        int flags = from.getInt();
        if ((flags & (FILTER | EXTRA_FIELD)) != 0) {
            throw new IOException("an lzop file with a filter or an extra field, which no kernel's build makes");
        }
        int modeAndTime = longer ? 12 : 8;
        from.position(from.position() + modeAndTime);
        int name = Byte.toUnsignedInt(from.get());
        from.position(from.position() + name + Integer.BYTES);
        return new LzopHeader(flags);
    }

    /** How many bytes of checksums stand before a block. */
    int checksumBytes(boolean packed) {
        int ofData = Integer.bitCount(flags & (ADLER32_OF_DATA | CRC32_OF_DATA));
        int ofPacked = packed ? Integer.bitCount(flags & (ADLER32_OF_PACKED | CRC32_OF_PACKED)) : 0;
        return Integer.BYTES * (ofData + ofPacked);
    }
}
