// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;

/**
 * A sparse file, mode 0600, to which memory is gathered from elsewhere: all its ranges, one behind the other; what was not written is
 * zeros. It goes when it is closed. One thread.
 */
final class Gathered implements Closeable {
    private static final int CLEAR = 1 << 20;

    private final Path file;
    private final FileChannel channel;
    private final List<MemoryRange> ranges;
    private final long bytes;

    /** @param memory the ranges that it is to have; their files do not count */
    Gathered(Path directory, List<MemoryRange> memory) throws IOException {
        file = Files.createTempFile(directory, "gathered-", "");
        List<MemoryRange> found = new ArrayList<>();
        long at = 0;
        for (MemoryRange range : memory) {
            found.add(new MemoryRange(range.physicalAddress(), range.length(), file, at));
            at += range.length();
        }
        ranges = List.copyOf(found);
        bytes = at;
        channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        channel.write(ByteBuffer.allocate(1), Math.max(0, bytes - 1));
    }

    /** Where the memory lies now. */
    List<MemoryRange> ranges() {
        return ranges;
    }

    long bytes() {
        return bytes;
    }

    /** Writes bytes that lie in one range. */
    void write(long address, ByteBuffer from) throws IOException {
        long position = position(address, from.remaining());
        while (from.hasRemaining()) {
            position += channel.write(from, position);
        }
    }

    /** Makes a run of one range zeros. */
    void clear(Extent run) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(CLEAR);
        for (long at = run.start(); at < run.end(); at += CLEAR) {
            write(at, zeros.clear().limit((int) Math.min(CLEAR, run.end() - at)));
        }
    }

    /** Reads a page. */
    void page(long address, byte[] into) throws IOException {
        ByteBuffer page = ByteBuffer.wrap(into);
        long position = position(address, PhysicalMemory.PAGE);
        while (page.hasRemaining()) {
            int count = channel.read(page, position + page.position());
            if (count < 0) {
                throw new EOFException("somebody made " + file + " shorter");
            }
        }
    }

    private long position(long address, long length) throws IOException {
        for (MemoryRange range : ranges) {
            long within = address - range.physicalAddress();
            if (within >= 0 && within <= range.length() - length) {
                return range.fileOffset() + within;
            }
        }
        throw new IOException(
                String.format("%d bytes at 0x%x lie in no range of the memory that is gathered", length, address));
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            Files.deleteIfExists(file);
        }
    }
}
