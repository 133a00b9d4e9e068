// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** An executor that does not do things when it was told to. */
final class OtherDelays extends AbstractExecutorService implements ScheduledExecutorService {
    private final ScheduledExecutorService executor;
    private final UnaryOperator<Long> delay;

    /** @param delay what becomes of a delay, in nanoseconds */
    OtherDelays(ScheduledExecutorService executor, UnaryOperator<Long> delay) {
        this.executor = executor;
        this.delay = delay;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long after, TimeUnit unit) {
        return executor.schedule(command, delay.apply(unit.toNanos(after)), TimeUnit.NANOSECONDS);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long after, TimeUnit unit) {
        return executor.schedule(callable, delay.apply(unit.toNanos(after)), TimeUnit.NANOSECONDS);
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long first, long period, TimeUnit unit) {
        return executor.scheduleAtFixedRate(command, first, period, unit);
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long first, long pause, TimeUnit unit) {
        return executor.scheduleWithFixedDelay(command, first, pause, unit);
    }

    @Override
    public void execute(Runnable command) {
        executor.execute(command);
    }

    @Override
    public void shutdown() {
        executor.shutdown();
    }

    @Override
    public List<Runnable> shutdownNow() {
        return executor.shutdownNow();
    }

    @Override
    public boolean isShutdown() {
        return executor.isShutdown();
    }

    @Override
    public boolean isTerminated() {
        return executor.isTerminated();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return executor.awaitTermination(timeout, unit);
    }
}
