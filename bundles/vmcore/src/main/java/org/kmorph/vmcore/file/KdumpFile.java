// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.Extent;

/**
 * kdump's compressed format of versions 3 to 6 (makedumpfile's IMPLEMENTATION file; docs/vmcore.md has the layout). Of the bitmaps only
 * a count for each block stays in memory.
 */
final class KdumpFile implements DumpFile {
    private static final int BLOCK = 4096;
    private static final int FRAMES_PER_BLOCK = BLOCK * 8;
    private static final int MOST_BITMAP_BLOCKS = 1 << 17;
    private static final int DESCRIPTOR = 24;

    private final Source source;
    private final List<String> damage = new ArrayList<>();
    private final Unpacker unpacker = new Unpacker();
    private final Notes notes;
    private final Optional<Vmcoreinfo> info;
    private final String format;
    private final long dumped;
    private final long descriptors;
    private final long frames;
    /** Pages dumped before each block of the bitmap, and their number at the end. */
    private final long[] before;

    private long cachedBlock = -1;
    private ByteBuffer cached = ByteBuffer.allocate(0);

    KdumpFile(Source source) throws IOException {
        this.source = source;
        ByteBuffer head = source.bytes(0, 464);
        int version = head.getInt(8);
        if (version < 3 || version > 6 || head.getInt(428) != BLOCK) {
            throw new IOException("the kdump file is of version " + version + " with blocks of " + head.getInt(428)
                    + " bytes; 3 to 6 with " + BLOCK + " can be read");
        }
        long subBlocks = head.getInt(432) & 0xffffffffL;
        long bitmapBlocks = head.getInt(436) & 0xffffffffL;
        format = "kdump, " + Unpacker.name(head.getInt(424)) + (source instanceof Flattened ? ", flattened" : "");
        ByteBuffer sub = source.bytes(BLOCK, 104);
        notes = version >= 4 ? notes(sub.getLong(48), sub.getLong(56)) : new Notes(Optional.empty(), List.of());
        info = notes.info().isPresent() ? notes.info() : info(sub.getLong(32), sub.getLong(40));
        long first = (1 + subBlocks) * BLOCK;
        long each = bitmapBlocks / 2;
        if (each < 1 || each > MOST_BITMAP_BLOCKS || first + bitmapBlocks * BLOCK > source.size()) {
            throw new IOException("the kdump file claims " + bitmapBlocks + " blocks of bitmaps at " + first
                    + " and ends at " + source.size() + " bytes");
        }
        long claimed = version >= 6 ? sub.getLong(96) : head.getInt(440) & 0xffffffffL;
        if (claimed <= 0 || claimed > each * FRAMES_PER_BLOCK) {
            throw new IOException(
                    "the kdump file claims " + claimed + " pages, its bitmaps are of " + each * FRAMES_PER_BLOCK);
        }
        frames = claimed;
        dumped = first + each * BLOCK;
        descriptors = first + bitmapBlocks * BLOCK;
        before = count((int) each);
        long end = descriptors + DESCRIPTOR * before[before.length - 1];
        if (end > source.size()) {
            damage.add(
                    "the file is truncated: descriptors of its pages end at " + end + ", the file at " + source.size());
        }
    }

    private long[] count(int blocks) throws IOException {
        long[] counts = new long[blocks + 1];
        for (int i = 0; i < blocks; i++) {
            ByteBuffer block = source.bytes(dumped + (long) i * BLOCK, BLOCK);
            long here = 0;
            for (int k = 0; k < BLOCK; k += 8) {
                here += Long.bitCount(block.getLong(k));
            }
            counts[i + 1] = counts[i] + here;
        }
        return counts;
    }

    private Notes notes(long at, long length) throws IOException {
        if (at <= 0 || length <= 0) {
            return new Notes(Optional.empty(), List.of());
        }
        if (length > Notes.MOST || at > source.size() - length) {
            damage.add("the file's notes are said to be of " + length + " bytes at " + at
                    + ", where there are not so many");
            return new Notes(Optional.empty(), List.of());
        }
        return Notes.of(source.bytes(at, (int) length));
    }

    private Optional<Vmcoreinfo> info(long at, long length) throws IOException {
        if (at <= 0 || length <= 0 || length > 1 << 16 || at > source.size() - length) {
            return Optional.empty();
        }
        return Optional.of(new Vmcoreinfo(source.bytes(at, (int) length).array()));
    }

    @Override
    public String format() {
        return format;
    }

    @Override
    public Optional<Vmcoreinfo> info() {
        return info;
    }

    @Override
    public List<ByteBuffer> registers() {
        return notes.registers();
    }

    @Override
    public List<String> damage() {
        return List.copyOf(damage);
    }

    @Override
    public List<Extent> extents() {
        List<Extent> found = new ArrayList<>();
        for (int i = 0; i + 1 < before.length; i++) {
            long from = (long) i * FRAMES_PER_BLOCK;
            long to = Math.min(frames, from + FRAMES_PER_BLOCK);
            if (before[i + 1] > before[i] && to > from) {
                found.add(new Extent(from << 12, to - from << 12));
            }
        }
        return found;
    }

    @Override
    public boolean page(long frame, byte[] into) throws IOException {
        if (frame < 0 || frame >= frames) {
            return false;
        }
        long number = number(frame);
        if (number < 0) {
            return false;
        }
        ByteBuffer descriptor = source.bytes(descriptors + DESCRIPTOR * number, DESCRIPTOR);
        long at = descriptor.getLong(0);
        int length = descriptor.getInt(8);
        if (length <= 0 || length > 2 * PAGE) {
            throw new IOException(
                    "the descriptor of page 0x" + Long.toHexString(frame << 12) + " claims " + length + " bytes");
        }
        unpacker.unpack(descriptor.getInt(12), source.bytes(at, length).array(), into);
        return true;
    }

    /** The number of a page among those dumped, or -1. */
    private long number(long frame) throws IOException {
        long block = frame / FRAMES_PER_BLOCK;
        if (block != cachedBlock) {
            cached = source.bytes(dumped + block * BLOCK, BLOCK);
            cachedBlock = block;
        }
        int bit = (int) (frame % FRAMES_PER_BLOCK);
        long word = cached.getLong(bit / 64 * 8);
        if ((word >>> bit % 64 & 1) == 0) {
            return -1;
        }
        long number = before[(int) block] + Long.bitCount(word & (1L << bit % 64) - 1);
        for (int i = 0; i < bit / 64; i++) {
            number += Long.bitCount(cached.getLong(8 * i));
        }
        return number;
    }

    @Override
    public void close() throws IOException {
        unpacker.close();
        source.close();
    }
}
