// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.time;

import java.util.Comparator;
import java.util.PriorityQueue;

/** What is to be done at what time of {@link System#nanoTime}, for a loop that sleeps in between. For one thread. */
public final class Deadlines {
    /** The longest that a loop sleeps without a deadline; it is woken for all else. */
    private static final long NOTHING_DUE_MS = 60_000;

    private final PriorityQueue<Deadline> queue = new PriorityQueue<>(Comparator.comparingLong(Deadline::nanos));

    /** Has it done at that time. */
    public void add(long nanos, Runnable action) {
        queue.add(new Deadline(nanos, action));
    }

    /** How long one may sleep: at least 1 ms, or -1 when something is due. */
    public long millisToNext(long nowNanos) {
        Deadline next = queue.peek();
        if (next == null) {
            return NOTHING_DUE_MS;
        }
        long nanos = next.nanos() - nowNanos;
        return nanos <= 0 ? -1 : Math.min(NOTHING_DUE_MS, nanos / 1_000_000 + 1);
    }

    /** Does what is due, in the order of its time. */
    public void runExpired(long nowNanos) {
        while (!queue.isEmpty() && queue.peek().nanos() - nowNanos <= 0) {
            queue.poll().action().run();
        }
    }

    /** Does all there is: there is no more time. */
    public void runAll() {
        while (!queue.isEmpty()) {
            queue.poll().action().run();
        }
    }

    private record Deadline(long nanos, Runnable action) {}
}
