// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.vmcore;

import java.time.Duration;
import java.util.List;
import org.kmorph.api.instance.Instance;
import org.osgi.annotation.versioning.ProviderType;

/** Automatic captures. Thread-safe. */
@ProviderType
public interface Vmcores {
    /** Whether there is anything to capture of such an instance: not of one that is a process. */
    boolean hasMemory(Instance instance);

    /**
     * Captures the memory of a fenced instance that was not released yet, analyses it, and then removes older automatic captures by
     * the retention policy, never the newest of an instance. One that was captured already, as by a daemon that was killed then, is
     * not captured again.
     *
     * @param deadline after which it is given up; the partial file is then marked incomplete
     * @param progress told how far it is, on the calling thread, some twenty times a second
     * @throws VmcoreException when it could not be captured; where it was captured but not understood, the verdict says so
     * @throws InterruptedException when cancelled; the partial file is then marked incomplete
     */
    Capture capture(Instance fenced, Duration deadline, Progress progress) throws VmcoreException, InterruptedException;

    /** The automatic captures that are kept, newest first. */
    List<Capture> list() throws VmcoreException;

    /** How far a capture is. */
    @FunctionalInterface
    interface Progress {
        /**
         * @param done bytes of memory that were looked at
         * @param total of how many
         */
        void update(long done, long total);
    }
}
