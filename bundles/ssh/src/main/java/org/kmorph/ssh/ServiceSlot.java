// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.time.Duration;
import java.util.Optional;

/**
 * Where a service is, while its bundle may be replaced: a call that finds it empty waits a little for the successor. Thread-safe.
 */
final class ServiceSlot<T> {
    private Optional<T> service = Optional.empty();

    synchronized void set(T now) {
        service = Optional.of(now);
        notifyAll();
    }

    /** Empties the slot, unless the successor is there already. */
    synchronized void unset(T gone) {
        service = service.filter(now -> now != gone);
    }

    /** The service, as soon as there is one; empty when there was none for so long. */
    synchronized Optional<T> await(Duration atMost) throws InterruptedException {
        long end = System.nanoTime() + atMost.toNanos();
        for (long left = atMost.toMillis();
                service.isEmpty() && left > 0;
                left = (end - System.nanoTime()) / 1_000_000) {
            wait(left);
        }
        return service;
    }
}
