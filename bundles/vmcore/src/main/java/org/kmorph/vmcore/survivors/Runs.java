// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;

/** Memory in runs that one survivor reads at a time: some for each, so that a fast one reads more, and none so large that much is lost. */
final class Runs {
    private static final long MOST = 64L << 20;
    private static final long LEAST = 4L << 20;
    private static final int FOR_EACH = 4;
    private static final byte[] ZEROS = new byte[PhysicalMemory.PAGE];

    private Runs() {}

    static List<Extent> of(List<MemoryRange> memory, int survivors) {
        long all = memory.stream().mapToLong(MemoryRange::length).sum();
        long wanted = Math.max(LEAST, Math.min(MOST, all / (FOR_EACH * (long) Math.max(1, survivors))));
        long length = wanted / PhysicalMemory.PAGE * PhysicalMemory.PAGE;
        List<Extent> runs = new ArrayList<>();
        for (MemoryRange range : memory) {
            for (long at = 0; at < range.length(); at += length) {
                runs.add(new Extent(range.physicalAddress() + at, Math.min(length, range.length() - at)));
            }
        }
        return runs;
    }

    static boolean isZero(byte[] page) {
        return Arrays.equals(page, ZEROS);
    }
}
