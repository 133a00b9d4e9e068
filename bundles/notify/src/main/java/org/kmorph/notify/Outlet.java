// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.time.Instant;
import java.util.Optional;

/** A way out for events. Thread-safe. */
interface Outlet extends AutoCloseable {
    /** Takes an event to be delivered, in order. Waits for the disk at most, never for who receives it. */
    void take(Event event);

    Status status();

    /** Delivers nothing more. What waits stays where it outlives the daemon, or is counted as dropped. */
    @Override
    void close();

    /**
     * How an outlet does, since it was made.
     *
     * @param outlet its name
     * @param delivered how many events were delivered
     * @param failed how many were refused or failed and are not tried again
     * @param waiting how many wait
     * @param dropped how many there was no room for
     * @param last when one was last delivered
     * @param problem what is wrong with it now, for people
     */
    record Status(
            String outlet,
            long delivered,
            long failed,
            long waiting,
            long dropped,
            Optional<Instant> last,
            Optional<String> problem) {}
}
