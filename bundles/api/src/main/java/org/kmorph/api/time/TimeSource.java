// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.time;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** The clocks, and waiting by them: what waits otherwise cannot be simulated. Thread-safe. */
public interface TimeSource {
    /** Nanoseconds of a clock that never goes back and that no one sets; only differences mean anything. */
    long nanos();

    /** The wall clock, for people and records alone; it may jump either way. */
    Instant now();

    /** The clocks of whoever provides them at the time: for who lives on while the provider is replaced. */
    static TimeSource from(Supplier<TimeSource> provider) {
        return new FollowingTime(provider);
    }

    /** Returns after so much of {@link #nanos} has passed. */
    default void sleep(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }

    /**
     * Waits for a result.
     *
     * @throws TimeoutException when there is none after so much of {@link #nanos}
     * @throws ExecutionException with what the future failed with
     */
    default <T> T await(CompletableFuture<T> future, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        return future.get(patience.toNanos(), TimeUnit.NANOSECONDS);
    }
}
