// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import io.airlift.compress.Decompressor;
import io.airlift.compress.MalformedInputException;
import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.lzo.LzoDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.XZInputStream;

/** How a kernel is packed in its image: what the kernel's build offers (init/Kconfig, KERNEL_GZIP to KERNEL_ZSTD) but the oldest. */
enum Compression {
    GZIP(0x1f, 0x8b) {
        @Override
        void unpack(ByteBuffer from, ByteBuffer to) throws IOException {
            stream(new GZIPInputStream(new BufferInput(from)), to);
        }
    },
    BZIP2('B', 'Z', 'h') {
        @Override
        void unpack(ByteBuffer from, ByteBuffer to) throws IOException {
            Bzip2.unpack(from, to);
        }
    },
    XZ(0xfd, '7', 'z', 'X', 'Z', 0) {
        @Override
        void unpack(ByteBuffer from, ByteBuffer to) throws IOException {
            stream(new XZInputStream(new BufferInput(from), MOST_MEMORY_KIB), to);
        }
    },
    LZ4(0x02, 0x21, 0x4c, 0x18) {
        /** The legacy frame of lz4_Frame_format.md: after the magic, blocks of a length in 32 bits and as many bytes. */
        @Override
        void unpack(ByteBuffer from, ByteBuffer to) throws IOException {
            from.order(ByteOrder.LITTLE_ENDIAN).getInt();
            Decompressor decompressor = new Lz4Decompressor();
            while (from.remaining() >= Integer.BYTES && to.hasRemaining()) {
                block(decompressor, from, from.getInt(), to);
            }
        }
    },
    ZSTD(0x28, 0xb5, 0x2f, 0xfd) {
        @Override
        void unpack(ByteBuffer from, ByteBuffer to) throws IOException {
            ByteBuffer frame = withSmallWindow(from);
            block(new ZstdDecompressor(), frame, frame.remaining(), to);
        }
    },
    LZO(0x89, 'L', 'Z', 'O', 0) {
        /** The frame of lib/decompress_unlzo.c: a header, then blocks of length, packed length and a checksum where they say so. */
        @Override
        void unpack(ByteBuffer from, ByteBuffer to) throws IOException {
            LzopHeader header = LzopHeader.read(from);
            Decompressor decompressor = new LzoDecompressor();
            while (from.remaining() >= Integer.BYTES && to.hasRemaining()) {
                int length = from.getInt();
                if (length == 0) {
                    return;
                }
                int packed = from.getInt();
                from.position(from.position() + header.checksumBytes(packed < length));
                if (packed == length) {
                    copy(from, packed, to);
                } else {
                    block(decompressor, from, packed, to);
                }
            }
        }
    };

    /** What a decompressor may take of the heap; xz of a kernel takes a dictionary of at most 64 MiB. */
    private static final int MOST_MEMORY_KIB = 80 << 10;

    /** As a window descriptor: the exponent 23 less ten, and no mantissa. */
    private static final int EIGHT_MIB = 13 << 3;

    private final byte[] magic;

    Compression(int... magic) {
        this.magic = new byte[magic.length];
        for (int i = 0; i < magic.length; i++) {
            this.magic[i] = (byte) magic[i];
        }
    }

    /**
     * Unpacks until the output is full or the input is over.
     *
     * @param from direct; the magic is at its position
     * @param to direct; as large as what is packed should be
     * @throws IOException or a RuntimeException when the input is broken
     */
    abstract void unpack(ByteBuffer from, ByteBuffer to) throws IOException;

    /** The one that a payload begins as. */
    static Optional<Compression> of(ByteBuffer payload) {
        for (Compression each : values()) {
            int length = each.magic.length;
            if (payload.remaining() >= length
                    && payload.slice(payload.position(), length).equals(ByteBuffer.wrap(each.magic))) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    /**
     * A zstd frame whose window is one that the decompressor accepts (RFC 8878, 3.1.1.1: the byte after the frame's descriptor, unless that
     * has its bit 5 set). The window tells a decoder how much of its output it has to keep; here all of it is at hand.
     */
    private static ByteBuffer withSmallWindow(ByteBuffer frame) {
        ByteBuffer copy =
                ByteBuffer.allocateDirect(frame.remaining()).put(frame).flip();
        boolean hasWindow = (copy.get(4) & 0x20) == 0;
        if (hasWindow && Byte.toUnsignedInt(copy.get(5)) > EIGHT_MIB) {
            copy.put(5, (byte) EIGHT_MIB);
        }
        return copy;
    }

    private static void stream(InputStream from, ByteBuffer to) throws IOException {
        byte[] chunk = new byte[64 << 10];
        while (to.hasRemaining()) {
            int count = from.read(chunk, 0, Math.min(chunk.length, to.remaining()));
            if (count < 0) {
                return;
            }
            to.put(chunk, 0, count);
        }
    }

    private static void block(Decompressor decompressor, ByteBuffer from, int length, ByteBuffer to)
            throws IOException {
        if (length < 0 || length > from.remaining()) {
            throw new IOException(
                    "a block of " + Integer.toUnsignedLong(length) + " bytes, with " + from.remaining() + " left");
        }
        ByteBuffer block = from.slice(from.position(), length);
        try {
            decompressor.decompress(block, to);
        } catch (MalformedInputException e) {
            throw new IOException(e);
        }
        from.position(from.position() + length);
    }

    private static void copy(ByteBuffer from, int length, ByteBuffer to) throws IOException {
        if (length < 0 || length > from.remaining() || length > to.remaining()) {
            throw new IOException("a block of " + Integer.toUnsignedLong(length) + " bytes does not fit");
        }
        to.put(from.slice(from.position(), length));
        from.position(from.position() + length);
    }
}
