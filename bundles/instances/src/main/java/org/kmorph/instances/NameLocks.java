// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** One lock for each name that somebody holds or waits for, and none for others. Thread-safe. */
final class NameLocks {
    private final Map<String, Shared> byName = new HashMap<>();

    /** Takes the lock of a name; empty when it was not free in time. Close it on the same thread. */
    Optional<Held> take(String name, Duration patience) throws InterruptedException {
        Shared shared = enter(name);
        boolean taken = false;
        try {
            taken = shared.lock.tryLock(patience.toNanos(), TimeUnit.NANOSECONDS);
        } finally {
            if (!taken) {
                leave(name);
            }
        }
        return taken
                ? Optional.of(() -> {
                    shared.lock.unlock();
                    leave(name);
                })
                : Optional.empty();
    }

    private synchronized Shared enter(String name) {
        Shared shared = byName.computeIfAbsent(name, key -> new Shared());
        shared.users++;
        return shared;
    }

    private synchronized void leave(String name) {
        byName.computeIfPresent(name, (key, shared) -> --shared.users == 0 ? null : shared);
    }

    /** A lock that is held. */
    @FunctionalInterface
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /** A lock and how many hold it or wait for it. */
    private static final class Shared {
        private final ReentrantLock lock = new ReentrantLock();
        private int users;
    }
}
