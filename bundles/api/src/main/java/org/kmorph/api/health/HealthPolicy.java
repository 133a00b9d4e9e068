// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.health;

import java.util.Map;

/**
 * Turns what was heard from an instance into a judgement. A bundle can bring a new one: register it as a service and
 * {@code policy set health-policy NAME} finds it by {@link #name}. When it leaves, its instances fall back to the default.
 */
public interface HealthPolicy {
    /** How people call it: {@code timeout}, {@code phi}. */
    String name();

    /** One line for {@code policy show}. */
    String summary();

    /**
     * Begins to judge one instance.
     *
     * @param settings the policy's own settings for the instance, as text, besides the heartbeat timeout
     * @throws IllegalArgumentException for a setting that it does not know or accept; the message says what it takes
     */
    Judge judge(long heartbeatTimeoutNanos, Map<String, String> settings);

    /**
     * Judges one instance. A pure state machine: it has no clock and no thread; time comes with each call and is already
     * widened by what the monitor itself was late. Called by one thread at a time.
     */
    interface Judge {
        /** A heartbeat came. */
        void heard(Heartbeat heartbeat);

        /** How it stands at this moment: HEALTHY, SUSPECT or FAILED, and until when that holds if nothing more is heard. */
        Verdict verdict(long nowNanos);
    }

    /**
     * A judgement.
     *
     * @param health HEALTHY, SUSPECT or FAILED
     * @param reason for people: {@code silent for 1.2 s, 1 s allowed}
     * @param nextNanos when it would change without anything being heard; {@link Long#MAX_VALUE} for never
     */
    record Verdict(Health health, String reason, long nextNanos) {}
}
