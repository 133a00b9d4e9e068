// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Counts the calls that a provider is in the middle of, so that its successor can take over without cutting them off.
 *
 * <pre>{@code
 * try (InFlight.Call call = inFlight.enter()) { … }     // in each call
 * inFlight.drain(Duration.ofSeconds(5));                // in deactivate
 * }</pre>
 *
 * Thread-safe.
 */
public final class InFlight {
    private int calls;

    /** Begins a call; close the result, once, when it ends. Calls may begin even while draining: late callers are not refused. */
    public synchronized Call enter() {
        calls++;
        return this::leave;
    }

    private synchronized void leave() {
        calls--;
        notifyAll();
    }

    /**
     * Waits until no call is in flight. May be called again.
     *
     * @return whether that happened within the time given
     */
    public synchronized boolean drain(Duration atMost) {
        long deadline = System.nanoTime() + atMost.toNanos();
        try {
            for (long left = atMost.toNanos(); calls > 0 && left > 0; left = deadline - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return calls == 0;
    }

    /** A call in flight. */
    @FunctionalInterface
    public interface Call extends AutoCloseable {
        @Override
        void close();
    }
}
