// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.DaemonThreads;

/** Interrupts a thread when its time is over, and never after it was closed. */
final class Timeout implements AutoCloseable {
    private final CountDownLatch closed = new CountDownLatch(1);
    private boolean over;
    private boolean expired;

    static Timeout interrupting(Thread thread, Optional<Duration> after) {
        Timeout timeout = new Timeout();
        after.ifPresent(time -> {
            new DaemonThreads("kmorph-timeout")
                    .newThread(() -> timeout.watch(thread, time))
                    .start();
        });
        return timeout;
    }

    private void watch(Thread thread, Duration time) {
        try {
            if (closed.await(time.toNanos(), TimeUnit.NANOSECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            return;
        }
        synchronized (this) {
            if (!over) {
                expired = true;
                thread.interrupt();
            }
        }
    }

    synchronized boolean expired() {
        return expired;
    }

    @Override
    public synchronized void close() {
        over = true;
        closed.countDown();
    }
}
