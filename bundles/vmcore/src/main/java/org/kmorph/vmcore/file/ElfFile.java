// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.Extent;

/** An ELF64 core file of an x86-64 kernel (the System V ABI's chapters on ELF), as /proc/vmcore, QEMU and we write it. */
final class ElfFile implements DumpFile {
    private static final int ET_CORE = 4;
    private static final int EM_X86_64 = 62;
    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;

    private final Source source;
    private final List<Segment> segments;
    private final List<String> damage = new ArrayList<>();
    private Notes notes = new Notes(Optional.empty(), List.of());

    private record Segment(long physical, long length, long offset) {}

    ElfFile(Source source) throws IOException {
        this.source = source;
        ByteBuffer head = source.bytes(0, 64);
        if (head.get(4) != 2 || head.get(5) != 1 || head.getShort(16) != ET_CORE || head.getShort(18) != EM_X86_64) {
            throw new IOException("the file is ELF, but no core file of a 64-bit x86 machine");
        }
        long table = head.getLong(32);
        int entry = head.getShort(54) & 0xffff;
        int count = head.getShort(56) & 0xffff;
        if (entry != 56 || count == 0 || count == 0xffff) {
            throw new IOException(
                    "the ELF file has " + count + " program headers of " + entry + " bytes; 56 are right");
        }
        ByteBuffer headers = source.bytes(table, 56 * count);
        List<Segment> found = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            header(headers, 56 * i, found);
        }
        segments = apart(found);
        if (segments.isEmpty()) {
            throw new IOException("the ELF file has no memory in it");
        }
        long claimed = segments.stream().mapToLong(Segment::length).sum();
        if (claimed > source.size()) {
            throw new IOException("the ELF file's headers claim " + claimed + " bytes of memory; the file has "
                    + source.size() + " bytes");
        }
    }

    /** Whole pages, ascending, each in one segment: text has a header of its own besides the one of the memory it is in. */
    private static List<Segment> apart(List<Segment> found) {
        found.sort(Comparator.comparingLong(Segment::physical));
        List<Segment> apart = new ArrayList<>();
        long end = 0;
        for (Segment segment : found) {
            long from = Math.max(end, segment.physical() + PAGE - 1 & -PAGE);
            long to = segment.physical() + segment.length() & -PAGE;
            if (to > from) {
                apart.add(new Segment(from, to - from, segment.offset() + from - segment.physical()));
                end = to;
            }
        }
        return List.copyOf(apart);
    }

    private void header(ByteBuffer headers, int at, List<Segment> found) throws IOException {
        int type = headers.getInt(at);
        long offset = headers.getLong(at + 8);
        long physical = headers.getLong(at + 24);
        long length = headers.getLong(at + 32);
        if (type != PT_LOAD && type != PT_NOTE) {
            return;
        }
        if (offset < 0 || length < 0 || physical < 0 || physical > (1L << 52) - Math.min(length, 1L << 52)) {
            throw new IOException("the ELF file has a program header that makes no sense: " + length + " bytes at "
                    + offset + " for address 0x" + Long.toHexString(physical));
        }
        long there = Math.max(0, Math.min(length, source.size() - offset));
        if (there < length) {
            damage.add("the file is truncated: " + (length - there) + " of the " + length + " bytes at " + offset
                    + " are missing");
        }
        if (type == PT_NOTE) {
            notes = Notes.of(source.bytes(Math.min(offset, source.size()), (int) Math.min(there, Notes.MOST)));
        } else if (there > 0) {
            found.add(new Segment(physical, there, offset));
        }
    }

    @Override
    public String format() {
        return source instanceof Flattened ? "ELF, flattened" : "ELF";
    }

    @Override
    public Optional<Vmcoreinfo> info() {
        return notes.info();
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
        for (Segment segment : segments) {
            found.add(new Extent(segment.physical(), segment.length()));
        }
        return found;
    }

    @Override
    public boolean page(long frame, byte[] into) throws IOException {
        long address = frame << 12;
        int low = 0;
        int high = segments.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (segments.get(middle).physical() <= address) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (frame < 0 || low == 0) {
            return false;
        }
        Segment segment = segments.get(low - 1);
        long within = address - segment.physical();
        if (within > segment.length() - PAGE) {
            return false;
        }
        source.read(segment.offset() + within, ByteBuffer.wrap(into, 0, PAGE));
        return true;
    }

    @Override
    public void close() throws IOException {
        source.close();
    }
}
