// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.health.HealthPolicy.Judge;

/**
 * How one instance is judged.
 *
 * @param policy the name of the policy that judges
 * @param instead why it is not the one that was asked for, for people; empty when it is
 * @param judge the policy's judge for the instance
 * @param key what it was made from: a judgement with the same key need not be made again
 */
record Judgement(String policy, Optional<String> instead, Judge judge, long timeoutNanos, String key) {
    /** Of an instance that may be silent for long something is to be seen in the meantime. */
    private static final long LONGEST_INTERVAL = TimeUnit.SECONDS.toNanos(1);

    private static final long SHORTEST_FIRST_ANSWER = TimeUnit.SECONDS.toNanos(3);

    private static final long SHORTEST_PROBE = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long LONGEST_PROBE = TimeUnit.SECONDS.toNanos(2);

    /** Between heartbeats: two may be lost within the timeout. */
    long intervalNanos() {
        return Math.min(LONGEST_INTERVAL, timeoutNanos / 3);
    }

    /** How long the first answer may take. */
    long firstAnswerNanos() {
        return Math.max(SHORTEST_FIRST_ANSWER, 3 * timeoutNanos);
    }

    /** How long the kernel of a silent agent may take to answer. */
    long probeNanos() {
        return Math.max(SHORTEST_PROBE, Math.min(LONGEST_PROBE, timeoutNanos / 2));
    }
}
