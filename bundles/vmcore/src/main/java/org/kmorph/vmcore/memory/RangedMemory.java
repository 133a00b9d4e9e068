// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.memory;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.api.host.MemoryRange;

/**
 * Memory as a host names it: runs of files. It is read, not mapped, so that a hole of a sparse file stays one and a file that gets
 * shorter is an error and not a fault. Thread-safe.
 */
public final class RangedMemory implements PhysicalMemory, Closeable {
    private static final int CHUNK = 1 << 17;

    private final List<MemoryRange> ranges;
    private final List<Extent> extents;
    private final Map<Path, FileChannel> files = new HashMap<>();

    /** @throws IOException when a file cannot be opened, or ranges overlap or are not of whole pages */
    public RangedMemory(List<MemoryRange> ranges) throws IOException {
        this.ranges = ranges.stream()
                .sorted(Comparator.comparingLong(MemoryRange::physicalAddress))
                .toList();
        List<Extent> found = new ArrayList<>();
        long end = 0;
        for (MemoryRange range : this.ranges) {
            if ((range.physicalAddress() | range.length()) % PAGE != 0
                    || range.length() <= 0
                    || range.physicalAddress() < end
                    || range.fileOffset() < 0) {
                throw new IOException(
                        "memory range " + range + " is not of whole pages, or overlaps the one before it");
            }
            end = range.physicalAddress() + range.length();
            found.add(new Extent(range.physicalAddress(), range.length()));
        }
        extents = List.copyOf(found);
        try {
            for (MemoryRange range : this.ranges) {
                if (!files.containsKey(range.file())) {
                    files.put(range.file(), FileChannel.open(range.file(), StandardOpenOption.READ));
                }
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    @Override
    public List<Extent> extents() {
        return extents;
    }

    @Override
    public boolean page(long frame, byte[] into) throws IOException {
        long address = frame << 12;
        for (MemoryRange range : ranges) {
            if (address >= range.physicalAddress() && address - range.physicalAddress() < range.length()) {
                read(address, ByteBuffer.wrap(into, 0, PAGE));
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean copy(long address, byte[] into, int offset, int length) throws IOException {
        // each read goes through a buffer of its size, which the thread keeps
        for (int done = 0; done < length; done += CHUNK) {
            read(address + done, ByteBuffer.wrap(into, offset + done, Math.min(CHUNK, length - done)));
        }
        return true;
    }

    /** Fills a buffer. @throws MissingMemoryException when some of it is in no range */
    public void read(long address, ByteBuffer into) throws IOException {
        long at = address;
        int end = into.limit();
        while (into.position() < end) {
            MemoryRange range = holding(at);
            long within = at - range.physicalAddress();
            int part = (int) Math.min(end - into.position(), range.length() - within);
            into.limit(into.position() + part);
            fill(range, within, into);
            into.limit(end);
            at += part;
        }
    }

    private MemoryRange holding(long address) throws MissingMemoryException {
        for (MemoryRange range : ranges) {
            long within = address - range.physicalAddress();
            if (within >= 0 && within < range.length()) {
                return range;
            }
        }
        throw new MissingMemoryException("no memory at 0x" + Long.toHexString(address));
    }

    private void fill(MemoryRange range, long within, ByteBuffer into) throws IOException {
        FileChannel file = files.get(range.file());
        long position = range.fileOffset() + within;
        while (into.hasRemaining()) {
            int count = file.read(into, position);
            if (count < 0) {
                throw new EOFException(range.file() + " ends at " + file.size() + " bytes; memory at 0x"
                        + Long.toHexString(range.physicalAddress() + within) + " should be at " + position);
            }
            position += count;
        }
    }

    @Override
    public void close() throws IOException {
        for (FileChannel file : files.values()) {
            file.close();
        }
    }
}
