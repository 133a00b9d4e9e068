// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.vmcore.Vmcores;

/** Where the memory to be captured comes from. */
public interface MemorySource {
    /**
     * Has it at hand in files of this machine.
     *
     * @param progress told how far that is, where it takes time; half of the whole
     * @throws IOException when it cannot be had
     * @throws InterruptedException when cancelled; nothing of it is left
     */
    Held hold(Vmcores.Progress progress) throws IOException, InterruptedException;

    /** Memory at hand, until it is closed. */
    interface Held extends Closeable {
        /** Where it lies. */
        List<MemoryRange> ranges();

        /** Bytes that were brought here for that. */
        default long gathered() {
            return 0;
        }

        /** What was not as it should be, or is good to know. */
        default List<String> notes() {
            return List.of();
        }

        @Override
        default void close() throws IOException {
            // it stays where it is
        }
    }

    /** Memory that lies in files already. */
    static MemorySource of(List<MemoryRange> ranges) {
        List<MemoryRange> copy = List.copyOf(ranges);
        return progress -> () -> copy;
    }
}
