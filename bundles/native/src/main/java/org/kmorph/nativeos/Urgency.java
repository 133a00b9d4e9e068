// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos;

/** How urgently threads of this process run. Thread-safe. */
public interface Urgency {
    /**
     * The calling thread goes before all that is not real time ({@code SCHED_FIFO} of sched(7), the least of its priorities), until the
     * result is closed. For moments in which others stand still. Where that is not permitted, nothing changes.
     */
    Hurry hurry();

    /** Ends when it is closed, by whichever thread; again is no error. */
    @FunctionalInterface
    interface Hurry extends AutoCloseable {
        @Override
        void close();
    }
}
