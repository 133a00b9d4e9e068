// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.vmcore.kernel.TinyKernel;

/** A tiny kernel's memory in files of every format. */
public final class TinyDumps {
    private TinyDumps() {}

    public static List<Path> all(Path directory) throws IOException, InterruptedException {
        Path memory = Files.write(directory.resolve("tiny"), TinyKernel.memory());
        List<MemoryRange> ranges = List.of(new MemoryRange(0, TinyKernel.BYTES, memory, 0));
        List<Path> made = new ArrayList<>();
        for (Compression compression : Compression.values()) {
            Path path = directory.resolve("tiny." + compression);
            CaptureFile.write(path, capturer(ranges, compression), (done, total) -> {});
            made.add(path);
        }
        Path flat = directory.resolve("tiny.flat");
        try (OutputStream out = Files.newOutputStream(flat)) {
            CaptureFile.stream(out, capturer(ranges, Compression.LZO), (done, total) -> {});
        }
        made.add(flat);
        return made;
    }

    private static Capturer capturer(List<MemoryRange> ranges, Compression compression) {
        return new Capturer(
                Programs.capture(),
                MemorySource.of(ranges),
                List.of(new byte[336]),
                new CaptureOptions(CaptureOptions.Format.KDUMP, compression, 1, 1, true));
    }
}
