// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ticks all watches, each when it wants to be. It measures by how much it was itself late: of that silence no instance is guilty.
 * {@link #turn} is for one thread.
 */
final class Beat {
    private static final Logger LOG = LoggerFactory.getLogger(Beat.class);

    /** What is due within so much is done at once: a thread that wakes for each of thousands does nothing else. */
    private static final long GRAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** A thread wakes so late without anything being wrong. */
    private static final long USUAL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final long LONGEST_SLEEP = TimeUnit.SECONDS.toNanos(10);

    private final PriorityQueue<Due> queue = new PriorityQueue<>(Comparator.comparingLong(Due::nanos));
    private final Queue<Watch> added = new ConcurrentLinkedQueue<>();
    private final Crowd crowd;
    private final Runnable wake;
    private volatile long latenessNanos;

    /** @param wake makes whoever calls {@link #turn} do so at once; called from any thread */
    Beat(Crowd crowd, Runnable wake) {
        this.crowd = crowd;
        this.wake = wake;
    }

    /** Ticks it at once, and from then on. One that wants no tick any more is forgotten. */
    void add(Watch watch) {
        added.add(watch);
        wake.run();
    }

    long latenessNanos() {
        return latenessNanos;
    }

    /**
     * Ticks those that are due.
     *
     * @return when to call again, if nobody wakes before
     */
    long turn(long now) {
        for (Watch watch = added.poll(); watch != null; watch = added.poll()) {
            queue.add(new Due(watch, now));
        }
        if (!queue.isEmpty() && queue.peek().nanos() <= now) {
            late(now - queue.peek().nanos());
            tick(now);
        }
        long due = queue.isEmpty() ? now + LONGEST_SLEEP : queue.peek().nanos();
        return Math.min(now + LONGEST_SLEEP, Math.max(now + GRAIN_NANOS, due));
    }

    private void late(long nanos) {
        if (nanos > GRAIN_NANOS + USUAL_NANOS) {
            latenessNanos += nanos;
        }
    }

    private void tick(long now) {
        boolean distrust = crowd.distrustsItself();
        while (!queue.isEmpty() && queue.peek().nanos() <= now) {
            Watch watch = queue.remove().watch();
            long next = tick(watch, now, distrust);
            if (next != Long.MAX_VALUE) {
                queue.add(new Due(watch, Math.max(next, now + GRAIN_NANOS / 2)));
            }
        }
    }

    private static long tick(Watch watch, long now, boolean distrust) {
        try {
            return watch.tick(now, distrust);
        } catch (RuntimeException e) {
            LOG.error(
                    "watching instance \"{}\" failed; it goes on",
                    watch.instance().name(),
                    e);
            return now + LONGEST_SLEEP / 10;
        }
    }

    private record Due(Watch watch, long nanos) {}
}
