// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** An executor of so many simulated threads, whose tasks may block. */
final class Crew extends AbstractExecutorService implements ScheduledExecutorService {
    /** A thread that has something to do begins within so many microseconds: not always in the order in which it was told. */
    private static final int MOST_LATENCY_MICROS = 50;

    /** More than this never waits where a limit is kept. */
    private static final int MAX_WAITING = 10_000;

    private final Scheduler scheduler;
    private final Life life;
    private final String name;
    private final int size;
    private final boolean discards;
    private final Dice dice;
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final List<Event> later = new ArrayList<>();
    private final List<Task> working = new ArrayList<>();
    private boolean shutdown;

    /** @param discards whether it drops what comes after its shutdown; else that is rejected */
    Crew(Scheduler scheduler, Life life, String name, int size, boolean discards, Dice dice) {
        this.scheduler = scheduler;
        this.life = life;
        this.name = name;
        this.size = size;
        this.discards = discards;
        this.dice = dice;
    }

    @Override
    public void execute(Runnable work) {
        Scheduler.alive(life);
        if (shutdown) {
            if (discards) {
                return;
            }
            throw new RejectedExecutionException(name + " is shut down");
        }
        if (waiting.size() >= MAX_WAITING) {
            throw new Violation(MAX_WAITING + " tasks wait for " + name);
        }
        waiting.add(work);
        fill();
    }

    private void fill() {
        while (working.size() < size && !waiting.isEmpty()) {
            Runnable work = waiting.remove();
            long latency = 1_000L * dice.between(0, MOST_LATENCY_MICROS);
            Task[] own = new Task[1];
            own[0] = scheduler.begin(latency, life, name, work, () -> {
                working.remove(own[0]);
                fill();
            });
            working.add(own[0]);
        }
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        Scheduler.alive(life);
        if (shutdown) {
            if (discards) {
                return new Later(null);
            }
            throw new RejectedExecutionException(name + " is shut down");
        }
        Event[] own = new Event[1];
        own[0] = scheduler.after(unit.toNanos(delay), life, () -> {
            later.remove(own[0]);
            execute(command);
        });
        later.add(own[0]);
        return new Later(own[0]);
    }

    @Override
    public void shutdown() {
        shutdown = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        shutdown = true;
        List<Runnable> left = List.copyOf(waiting);
        waiting.clear();
        later.forEach(event -> event.cancelled = true);
        later.clear();
        List.copyOf(working).forEach(scheduler::interrupt);
        return left;
    }

    @Override
    public boolean isShutdown() {
        return shutdown;
    }

    @Override
    public boolean isTerminated() {
        return shutdown && working.isEmpty() && waiting.isEmpty();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        long until = scheduler.now() + unit.toNanos(timeout);
        while (!isTerminated() && scheduler.now() < until) {
            scheduler.block(Math.min(until, scheduler.now() + 1_000_000));
        }
        return isTerminated();
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long first, long period, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long first, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    /** What can be cancelled. Nobody waits for it. */
    private final class Later extends CompletableFuture<Void> implements ScheduledFuture<Void> {
        private final Event event;

        Later(Event event) {
            this.event = event;
        }

        @Override
        public boolean cancel(boolean interrupt) {
            if (event != null && !event.cancelled) {
                event.cancelled = true;
                later.remove(event);
            }
            return super.cancel(interrupt);
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return event == null ? 0 : unit.convert(event.nanos - scheduler.now(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }
}
