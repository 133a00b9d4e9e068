// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * When those who are still inside have to go: first their commands are cancelled, then they are cut off. Times are of
 * {@link System#nanoTime}.
 */
record Drain(long cancelAtNanos, long cutAtNanos) {
    /** From now on. @param atMost until what still runs is cancelled @param goodbye how long it then has */
    static Drain within(Duration atMost, Duration goodbye) {
        long cancelAt = System.nanoTime() + atMost.toNanos();
        return new Drain(cancelAt, cancelAt + goodbye.toNanos());
    }

    boolean cancels(long now) {
        return now - cancelAtNanos >= 0;
    }

    boolean cutsOff(long now) {
        return now - cutAtNanos >= 0;
    }

    /** Until there is something to do, 1 at the least. */
    long untilNextMillis(long now) {
        long next = cancels(now) ? cutAtNanos : cancelAtNanos;
        return Math.max(1, TimeUnit.NANOSECONDS.toMillis(next - now) + 1);
    }
}
