// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** What kmorph-capture is told, in the words that it knows. One thread. */
final class Dictation {
    private static final int RUN_BYTES = 24;

    private final OutputStream out;

    Dictation(OutputStream out) {
        this.out = out;
    }

    /** Where the memory is; first of all. */
    void memory(List<MemoryRange> ranges) throws IOException {
        for (MemoryRange range : ranges) {
            line("memory " + range.physicalAddress() + " " + range.length() + " " + range.fileOffset() + " "
                    + range.file());
        }
    }

    /** Bytes to be written as they are. */
    void put(long position, ByteBuffer bytes) throws IOException {
        line("put " + position + " " + bytes.remaining());
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        out.write(copy);
    }

    /**
     * The pages to pack; goes on while more is said.
     *
     * @param subHeaderEnd position behind the blocks of the sub-header that are put
     */
    void pages(Compression compression, FrameSet ram, FrameSet kept, long subHeaderEnd) throws IOException {
        line("pages " + compression.word() + " " + kept.limit() + " " + subHeaderEnd);
        bits(ram);
        bits(kept);
        out.flush();
    }

    private void bits(FrameSet frames) throws IOException {
        for (long at = 0; at < (frames.limit() + 7) / 8; at += PhysicalMemory.PAGE) {
            out.write(frames.bits(at, PhysicalMemory.PAGE).array());
        }
    }

    /** A run of memory, and where its bytes belong in the file. */
    record Run(long physical, long length, long position) {}

    /** Runs to be copied as they are, in the order of their positions. @param total length of the file */
    void copy(List<Run> runs, long total) throws IOException {
        line("copy " + runs.size() + " " + total);
        ByteBuffer bytes = ByteBuffer.allocate(RUN_BYTES * runs.size()).order(ByteOrder.LITTLE_ENDIAN);
        for (Run run : runs) {
            bytes.putLong(run.physical()).putLong(run.length()).putLong(run.position());
        }
        out.write(bytes.array());
    }

    /** Nothing more. */
    void end() throws IOException {
        line("end");
        out.flush();
    }

    private void line(String text) throws IOException {
        out.write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
