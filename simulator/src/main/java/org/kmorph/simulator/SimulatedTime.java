// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.time.TimeSource;

/** The clocks of a world. The wall clock can be set; the other cannot. */
final class SimulatedTime implements TimeSource {
    private static final Instant BEGINNING = Instant.parse("2026-01-01T00:00:00Z");

    private final Scheduler scheduler;
    private long wallOffsetNanos;

    SimulatedTime(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    /** Somebody sets the wall clock. */
    void jump(long nanos) {
        wallOffsetNanos += nanos;
    }

    @Override
    public long nanos() {
        return scheduler.now();
    }

    @Override
    public Instant now() {
        return BEGINNING.plusNanos(scheduler.now() + wallOffsetNanos);
    }

    @Override
    public void sleep(Duration time) throws InterruptedException {
        scheduler.block(scheduler.now() + time.toNanos());
    }

    @Override
    public <T> T await(CompletableFuture<T> future, Duration patience)
            throws InterruptedException, ExecutionException, TimeoutException {
        if (!future.isDone()) {
            Task me = scheduler.running();
            future.whenComplete((value, failure) -> scheduler.wake(me));
            long until = scheduler.now() + patience.toNanos();
            while (!future.isDone() && scheduler.now() < until) {
                scheduler.block(until);
            }
        }
        if (!future.isDone()) {
            throw new TimeoutException();
        }
        return future.get();
    }
}
