// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

/** The way between the daemon and one kernel, and what is wrong with it. Probabilities are of one send. */
final class Line {
    private static final int USUAL_DELAY_MICROS = 200;

    /** Until when nothing gets through. */
    long cutUntilNanos = Long.MIN_VALUE;

    /** Until when the rest is so; afterwards nothing is wrong. */
    long badUntilNanos = Long.MIN_VALUE;

    double loss;
    double duplicate;
    double reorder;
    double garbage;
    int mostDelayMicros = USUAL_DELAY_MICROS;

    boolean cut(long now) {
        return now < cutUntilNanos;
    }

    boolean bad(long now) {
        return now < badUntilNanos;
    }

    boolean everBad() {
        return badUntilNanos != Long.MIN_VALUE;
    }

    long delayNanos(long now, Dice dice) {
        return 1_000L * dice.between(50, bad(now) ? mostDelayMicros : USUAL_DELAY_MICROS);
    }

    /** Everything is as it should be again. */
    void mend() {
        cutUntilNanos = Long.MIN_VALUE;
        badUntilNanos = Math.min(badUntilNanos, 0);
    }
}
