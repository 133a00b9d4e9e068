// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;
import org.kmorph.vmcore.memory.RangedMemory;

/**
 * Looks at some pages of what each survivor sent, which it could not foresee, where the daemon can read the memory itself. One that lies
 * about one page in a hundred is found out but once in 29,000 times.
 */
final class Sample {
    private static final int PAGES = 1024;

    private final List<MemoryRange> memory;
    private final Gathered gathered;
    private final SecureRandom random = new SecureRandom();
    private String note = "";

    Sample(List<MemoryRange> memory, Gathered gathered) {
        this.memory = memory;
        this.gathered = gathered;
    }

    /** Those whose pages are others than those of the memory. @param sent what has come from each */
    List<String> liars(Map<String, List<Extent>> sent) throws IOException {
        List<String> found = new ArrayList<>();
        try (RangedMemory own = open().orElse(null)) {
            for (Map.Entry<String, List<Extent>> one : sent.entrySet()) {
                if (own != null && !isTrue(own, one.getValue())) {
                    found.add(one.getKey());
                }
            }
        }
        return found;
    }

    private Optional<RangedMemory> open() {
        try {
            return Optional.of(new RangedMemory(memory));
        } catch (IOException e) {
            note = "what the survivors sent was not compared, the daemon cannot read the memory itself: "
                    + e.getMessage();
            return Optional.empty();
        }
    }

    /** Why it was not looked at, for people. */
    Optional<String> note() {
        return note.isEmpty() ? Optional.empty() : Optional.of(note);
    }

    private boolean isTrue(RangedMemory own, List<Extent> runs) throws IOException {
        long pages = runs.stream().mapToLong(Extent::length).sum() / PhysicalMemory.PAGE;
        byte[] theirs = new byte[PhysicalMemory.PAGE];
        byte[] ours = new byte[PhysicalMemory.PAGE];
        for (int i = 0; i < Math.min(PAGES, pages); i++) {
            long address = address(runs, random.nextLong(pages));
            gathered.page(address, theirs);
            own.page(address >>> 12, ours);
            if (!Arrays.equals(theirs, ours)) {
                return false;
            }
        }
        return true;
    }

    private static long address(List<Extent> runs, long page) {
        long left = page * PhysicalMemory.PAGE;
        for (Extent run : runs) {
            if (left < run.length()) {
                return run.start() + left;
            }
            left -= run.length();
        }
        throw new IllegalArgumentException("page " + page + " is in no run");
    }
}
