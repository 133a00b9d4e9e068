// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.airlift.compress.MalformedInputException;
import io.airlift.compress.lzo.LzoDecompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import java.io.Closeable;
import java.io.IOException;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** Unpacks pages, by the flags of their descriptors. One thread; close it, for it has native memory. */
final class Unpacker implements Closeable {
    private static final int ZLIB = 1;
    private static final int LZO = 2;
    private static final int SNAPPY = 4;
    private static final int ZSTD = 0x20;

    private final Inflater inflater = new Inflater();
    private final LzoDecompressor lzo = new LzoDecompressor();
    private final SnappyDecompressor snappy = new SnappyDecompressor();
    private final ZstdDecompressCtx zstd = new ZstdDecompressCtx();
    private final byte[] page = new byte[PhysicalMemory.PAGE];

    /** What a kind of packing is called. */
    static String name(int flags) {
        return switch (flags & (ZLIB | LZO | SNAPPY | ZSTD)) {
            case ZLIB -> "zlib";
            case LZO -> "lzo";
            case SNAPPY -> "snappy";
            case ZSTD -> "zstd";
            default -> "none";
        };
    }

    /** @throws IOException when it does not come to one page; {@code into} is then as it was */
    void unpack(int flags, byte[] packed, byte[] into) throws IOException {
        int length;
        try {
            length = switch (flags & (ZLIB | LZO | SNAPPY | ZSTD)) {
                case 0 -> plain(packed);
                case ZLIB -> inflate(packed);
                case LZO -> lzo.decompress(packed, 0, packed.length, page, 0, page.length);
                case SNAPPY -> snappy.decompress(packed, 0, packed.length, page, 0, page.length);
                case ZSTD -> zstd.decompressByteArray(page, 0, page.length, packed, 0, packed.length);
                default ->
                    throw new IOException(
                            "a page is packed in a way that is not known: flags 0x" + Integer.toHexString(flags));
            };
        } catch (DataFormatException
                | MalformedInputException
                | ZstdException
                | IllegalArgumentException
                | IndexOutOfBoundsException e) {
            throw new IOException("a page cannot be unpacked (" + name(flags) + "): " + e.getMessage(), e);
        }
        if (length != page.length) {
            throw new IOException("a page unpacks to " + length + " bytes (" + name(flags) + ")");
        }
        System.arraycopy(page, 0, into, 0, page.length);
    }

    private int plain(byte[] packed) {
        System.arraycopy(packed, 0, page, 0, Math.min(packed.length, page.length));
        return packed.length;
    }

    private int inflate(byte[] packed) throws DataFormatException {
        inflater.reset();
        inflater.setInput(packed);
        return inflater.inflate(page);
    }

    @Override
    public void close() {
        inflater.end();
        zstd.close();
    }
}
