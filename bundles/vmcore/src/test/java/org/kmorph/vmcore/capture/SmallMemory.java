// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** A memory of two ranges with a hole, in which a kernel left its VMCOREINFO and nothing else that can be read. */
public final class SmallMemory {
    static final String INFO = "OSRELEASE=6.1.0-test\nNUMBER(phys_base)=0\nSYMBOL(swapper_pg_dir)=ffffffff80010000\n";
    static final int PAGES = 700;
    private static final int LOW = 300;
    private static final long HIGH_AT = 0x400000;

    private SmallMemory() {}

    /** Pages of zeros, of text that packs well, and of noise that does not. */
    public static List<MemoryRange> in(Path directory) throws IOException {
        byte[] memory = new byte[PAGES * 4096];
        Random random = new Random(7);
        for (int page = 0; page < PAGES; page++) {
            if (page % 3 == 1) {
                byte[] noise = new byte[4096];
                random.nextBytes(noise);
                noise[0] = 0;
                System.arraycopy(noise, 0, memory, page * 4096, 4096);
            } else if (page % 3 == 2) {
                for (int i = 0; i < 4096; i++) {
                    memory[page * 4096 + i] = (byte) ("page " + page).charAt(i % 6);
                }
            }
        }
        byte[] text = INFO.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer note = ByteBuffer.wrap(memory, 450 * 4096, 4096).order(ByteOrder.LITTLE_ENDIAN);
        note.putInt(11).putInt(text.length).putInt(0);
        note.put("VMCOREINFO\0\0".getBytes(StandardCharsets.US_ASCII)).put(text);
        Path file = Files.write(directory.resolve("memory"), memory);
        return List.of(
                new MemoryRange(0, LOW * 4096L, file, 0),
                new MemoryRange(HIGH_AT, (PAGES - LOW) * 4096L, file, LOW * 4096L));
    }

    /** The physical frame of a page of the file. */
    static long frame(int page) {
        return page < LOW ? page : (HIGH_AT >> 12) + page - LOW;
    }

    private static Capturer capturer(Path directory, Compression compression) throws IOException {
        return new Capturer(
                Programs.capture(),
                MemorySource.of(in(directory)),
                List.of(new byte[336]),
                new CaptureOptions(CaptureOptions.Format.KDUMP, compression, 1, 2, true));
    }

    /** A kdump file of it. */
    public static Path kdump(Path directory, Compression compression) throws IOException, InterruptedException {
        Path path = directory.resolve("small." + compression);
        CaptureFile.write(path, capturer(directory, compression), (done, total) -> {});
        return path;
    }

    /** A kdump file of it as makedumpfile writes them, whose data lie behind the descriptors: what it makes of a stream. */
    public static byte[] kdumpDataLast(Path directory, Compression compression)
            throws IOException, InterruptedException {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        CaptureFile.stream(stream, capturer(directory, compression), (done, total) -> {});
        ByteBuffer from = ByteBuffer.wrap(stream.toByteArray()).position(PhysicalMemory.PAGE);
        byte[] file = new byte[0];
        for (long at = from.getLong(), length = from.getLong(); at >= 0; at = from.getLong(), length = from.getLong()) {
            file = Arrays.copyOf(file, (int) Math.max(file.length, at + length));
            from.get(file, (int) at, (int) length);
        }
        return file;
    }
}
