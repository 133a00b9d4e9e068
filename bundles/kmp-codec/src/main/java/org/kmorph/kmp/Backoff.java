// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.util.OptionalLong;

/**
 * How long a request that was answered with RETRY, or lost with its connection, waits for its next repetition:
 * {@code docs/kmp.md}, Retries. Pure.
 */
public final class Backoff {
    public static final int MAX_REPETITIONS = 8;

    static final long BASE_MILLIS = 50;

    static final long CAP_MILLIS = 5000;

    static final long ASKED_CAP_MILLIS = 60_000;

    private Backoff() {}

    /**
     * The wait before a repetition.
     *
     * @param repetition 0 for the first
     * @param askedMillis what RETRY asks for, at least 0; 0 without one
     * @param random between 0 and 1: where in the upper half of the interval
     * @return milliseconds; empty when the request has failed
     */
    public static OptionalLong waitMillis(int repetition, long askedMillis, double random) {
        if (repetition < 0 || askedMillis < 0 || !(random >= 0 && random <= 1)) {
            throw new IllegalArgumentException("repetition " + repetition + ", asked " + askedMillis + " ms, random "
                    + random + "; expected both from 0, and 0 to 1");
        }
        if (repetition >= MAX_REPETITIONS) {
            return OptionalLong.empty();
        }
        long interval = Math.min(CAP_MILLIS, BASE_MILLIS << repetition);
        long drawn = interval - Math.round(interval / 2.0 * (1 - random));
        return OptionalLong.of(Math.min(askedMillis, ASKED_CAP_MILLIS) + drawn);
    }
}
