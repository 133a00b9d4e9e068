// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.RangedMemory;

/** Captures memory: looks for what the kernel left about itself, decides on every page, writes. */
public final class Capturer {
    private static final int FILTERED = 30;

    private final Path program;
    private final MemorySource source;
    private final List<byte[]> registers;
    private final CaptureOptions options;

    /**
     * @param program kmorph-capture
     * @param registers an NT_PRSTATUS for each processor; may be empty
     */
    public Capturer(Path program, MemorySource source, List<byte[]> registers, CaptureOptions options) {
        this.program = program;
        this.source = source;
        this.registers = List.copyOf(registers);
        this.options = options;
    }

    /**
     * What was captured.
     *
     * @param sha256 hexadecimal, empty where there is none
     * @param notes what was not as it should be; the capture is good all the same
     */
    record Outcome(long bytes, String sha256, List<String> notes) {}

    interface Start {
        Program program() throws IOException;
    }

    Program program(Path file) throws IOException {
        return Program.toFile(program, options.threads(), file, options.digested());
    }

    Program programToFifo(Path fifo) throws IOException {
        return Program.toFifo(program, options.threads(), fifo);
    }

    Program program(OutputStream out) throws IOException {
        return Program.toStream(program, options.threads(), out);
    }

    /**
     * Captures into what {@code start} starts.
     *
     * @throws IOException when it failed; what was written is of no use
     * @throws InterruptedException when cancelled
     */
    Outcome run(Start start, Vmcores.Progress progress) throws IOException, InterruptedException {
        try (MemorySource.Held held = source.hold(progress)) {
            return run(start, held, progress);
        }
    }

    private Outcome run(Start start, MemorySource.Held held, Vmcores.Progress progress)
            throws IOException, InterruptedException {
        List<MemoryRange> ranges = held.ranges();
        // a process takes about as long to start as the memory to look through
        try (RangedMemory memory = new RangedMemory(ranges);
                Starting starting = new Starting(start)) {
            Subject subject = new Subject(memory, registers, options.threads());
            FrameSet ram = new FrameSet(
                    memory.extents().stream().mapToLong(Extent::end).max().orElse(0) >>> 12);
            memory.extents().forEach(e -> ram.add(e.start() >>> 12, e.end() >>> 12));
            FrameSet kept = ram.copy();
            filter(subject, kept);
            DumpWriter writer = options.format() == CaptureOptions.Format.ELF
                    ? new ElfWriter(subject, ram, kept)
                    : new KdumpWriter(subject, options, ram, kept);
            long total = ram.count() << 12;
            long leftOut = total - writer.memoryBytes();
            Program.Written written = starting.program()
                    .run(
                            to -> {
                                to.memory(ranges);
                                writer.write(to);
                            },
                            done -> progress.update(held.gathered() + leftOut + done, held.gathered() + total));
            List<String> notes = new ArrayList<>(held.notes());
            notes.addAll(subject.troubles());
            return new Outcome(written.bytes(), written.sha256(), List.copyOf(notes));
        }
    }

    private void filter(Subject subject, FrameSet kept) throws IOException, InterruptedException {
        if ((options.level() & FILTERED) == 0) {
            return;
        }
        int size = new PageFilter(subject.memory(), subject.info(), options.level()).framesPerSection();
        long sections = (kept.limit() + size - 1) / size;
        Crew.run(options.threads(), sections, () -> {
            PageFilter filter = new PageFilter(subject.memory(), subject.info(), options.level());
            return new Crew.Worker() {
                @Override
                public void work(long section) throws IOException {
                    filter.section(section, kept);
                }

                @Override
                public void close() {
                    // it has nothing of its own
                }
            };
        });
    }
}
