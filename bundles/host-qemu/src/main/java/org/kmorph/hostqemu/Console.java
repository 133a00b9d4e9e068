// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.host.ConsoleTail;

/** The panic in what a machine has written: the kernel's console, and before that whatever QEMU had to say. */
final class Console {
    /** panic() of kernel/panic.c. */
    private static final String PANIC = "Kernel panic - not syncing";

    private static final long LOOK_AGAIN_MS = 5;

    private Console() {}

    /**
     * The last lines from the one on that says that the kernel panics, once that is there or the time is over: the shim may still be writing
     * it. The reason stands there, and at the end no more.
     */
    static List<String> panic(Path directory, int lines, long millis) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (true) {
            List<String> all = ConsoleTail.last(directory, Integer.MAX_VALUE);
            for (int i = all.size() - 1; i >= 0; i--) {
                if (all.get(i).contains(PANIC)) {
                    return all.subList(i, Math.min(all.size(), i + lines));
                }
            }
            if (System.nanoTime() > end) {
                return all.subList(Math.max(0, all.size() - lines), all.size());
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_AGAIN_MS);
        }
    }
}
