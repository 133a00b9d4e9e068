// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

/** Runs things later. A seam for tests and the simulator. Thread-safe. */
interface Timer {
    /** Runs it once, that much later, on a thread that it must not block. */
    Handle after(long nanos, Runnable action);

    /** Something that is to be run. */
    interface Handle {
        /** What is cancelled and begins no more. */
        void cancel();
    }
}
