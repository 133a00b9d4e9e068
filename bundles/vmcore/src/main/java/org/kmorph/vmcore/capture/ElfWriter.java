// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.kernel.UnknownKernelException;
import org.kmorph.vmcore.memory.PhysicalMemory;

/**
 * Writes an ELF64 core file of the shape that crash, drgn, gdb and makedumpfile all accept: one header of notes, one of the kernel's
 * text, and one for each run of memory, which shares the text's bytes. Short runs that could be left out are written all the same, for
 * each costs a header; what is left out is in no header, and pages of zeros are holes of the file.
 */
final class ElfWriter implements DumpWriter {
    /** Frames between two runs that are worth a header. */
    private static final int GAP = 256;

    private static final int PAGE = PhysicalMemory.PAGE;
    private static final int MOST_RUNS = 60_000;
    private static final int HEADER = 64;
    private static final int ENTRY = 56;
    private static final long LARGE = 1L << 21;

    private final Subject subject;
    private final FrameSet kept;
    private final List<Run> runs;
    private final long dataAt;
    private final long end;
    private final long directMap;
    private final long textVirtual;
    private final long textPhysical;
    private final long textLength;

    /** A run of frames and where its bytes are in the file. */
    private record Run(long from, long to, long at) {}

    ElfWriter(Subject subject, FrameSet ram, FrameSet kept) throws IOException {
        this.subject = subject;
        this.kept = kept.copy();
        DeadKernel kernel = subject.kernel()
                .orElseThrow(
                        () -> new IOException(
                                "the kernel's symbols cannot be read, and an ELF file needs some; capture with --format=kdump"));
        directMap = kernel.space().u64(kernel.symbols().need("page_offset_base"));
        textVirtual = subject.info().need("SYMBOL(_stext)") & -LARGE;
        textLength = kernel.symbols().need("_end") - textVirtual + LARGE - 1 & -LARGE;
        textPhysical = textVirtual - AddressSpace.TEXT_MAP + subject.info().need("NUMBER(phys_base)");
        if (textLength <= 0
                || textLength > 1L << 30
                || !ram.has(textPhysical >>> 12)
                || !ram.has((textPhysical + textLength - 1) >>> 12)) {
            throw new UnknownKernelException("the kernel's text is said to be outside of its memory");
        }
        this.kept.add(textPhysical >>> 12, textPhysical + textLength >>> 12);
        for (long frame = textPhysical >>> 12; frame < textPhysical + textLength >>> 12; frame++) {
            if (!ram.has(frame)) {
                throw new UnknownKernelException("the kernel's text has a hole in it");
            }
        }
        List<long[]> wanted = wanted();
        dataAt = notesAt(wanted.size()) + subject.notesLength() + PAGE - 1 & -PAGE;
        runs = placed(wanted, dataAt);
        Run last = runs.get(runs.size() - 1);
        end = last.at() + (last.to() - last.from() << 12);
    }

    @Override
    public long memoryBytes() {
        return end - dataAt;
    }

    @Override
    public void write(Dictation to) throws IOException {
        to.put(0, head(runs.size() + 2));
        to.put(HEADER, table());
        to.put(notesAt(runs.size()), subject.notes());
        to.copy(
                runs.stream()
                        .map(r -> new Dictation.Run(r.from() << 12, r.to() - r.from() << 12, r.at()))
                        .toList(),
                end);
    }

    private static long notesAt(int runs) {
        return HEADER + (long) ENTRY * (runs + 2);
    }

    private static List<Run> placed(List<long[]> runs, long from) {
        List<Run> placed = new ArrayList<>();
        long at = from;
        for (long[] run : runs) {
            placed.add(new Run(run[0], run[1], at));
            at += run[1] - run[0] << 12;
        }
        return placed;
    }

    private List<long[]> wanted() {
        for (int gap = GAP; ; gap *= 2) {
            List<long[]> runs = wanted(gap);
            if (runs.size() <= MOST_RUNS) {
                return runs;
            }
        }
    }

    private List<long[]> wanted(int gap) {
        List<long[]> runs = new ArrayList<>();
        subject.memory().extents().forEach(extent -> {
            int first = runs.size();
            for (long frame = extent.start() >>> 12; frame < extent.end() >>> 12; frame++) {
                if (!kept.has(frame)) {
                    continue;
                }
                if (runs.size() > first && frame - runs.get(runs.size() - 1)[1] < gap) {
                    runs.get(runs.size() - 1)[1] = frame + 1;
                } else {
                    runs.add(new long[] {frame, frame + 1});
                }
            }
        });
        return runs;
    }

    private static ByteBuffer head(int headers) {
        ByteBuffer head = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
        head.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        head.putShort(16, (short) 4).putShort(18, (short) 62).putInt(20, 1);
        head.putLong(32, HEADER);
        head.putShort(52, (short) HEADER).putShort(54, (short) ENTRY).putShort(56, (short) headers);
        return head.rewind();
    }

    private ByteBuffer table() {
        ByteBuffer table = ByteBuffer.allocate(ENTRY * (runs.size() + 2)).order(ByteOrder.LITTLE_ENDIAN);
        entry(table, 4, notesAt(runs.size()), 0, 0, subject.notesLength());
        Run text = runs.stream()
                .filter(r -> r.from() <= textPhysical >>> 12 && r.to() > textPhysical >>> 12)
                .findFirst()
                .orElseThrow();
        entry(table, 1, text.at() + textPhysical - (text.from() << 12), textVirtual, textPhysical, textLength);
        for (Run run : runs) {
            entry(table, 1, run.at(), directMap + (run.from() << 12), run.from() << 12, run.to() - run.from() << 12);
        }
        return table.flip();
    }

    private static void entry(ByteBuffer table, int type, long at, long virtual, long physical, long length) {
        table.putInt(type).putInt(type == 1 ? 7 : 0);
        table.putLong(at)
                .putLong(virtual)
                .putLong(physical)
                .putLong(length)
                .putLong(length)
                .putLong(0);
    }
}
