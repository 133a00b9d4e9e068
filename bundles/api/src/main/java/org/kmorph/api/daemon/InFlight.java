// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.time.Duration;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

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
    private final Phaser calls = new Phaser(1);

    /** Begins a call; close the result when it ends. Calls may begin even while draining: late callers are not refused. */
    public Call enter() {
        calls.register();
        return calls::arriveAndDeregister;
    }

    /**
     * Waits until no call is in flight.
     *
     * @return whether that happened within the time given
     */
    public boolean drain(Duration atMost) {
        try {
            calls.awaitAdvanceInterruptibly(calls.arriveAndDeregister(), atMost.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** A call in flight. */
    @FunctionalInterface
    public interface Call extends AutoCloseable {
        @Override
        void close();
    }
}
