// SPDX-License-Identifier: Apache-2.0
package org.kmorph.samples.storagepolicy;

import java.util.Map;
import java.util.Set;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.health.Heartbeat;
import org.osgi.service.component.annotations.Component;

/**
 * The policy {@code storage}: an instance has failed after its heartbeat timeout, and is suspect while its synced writes are slow or do
 * not return. Its option {@code slow-ms} says what is slow. A sample of what a policy of one's own looks like.
 */
@Component
public final class StoragePolicy implements HealthPolicy {
    private static final String SLOW = "slow-ms";
    private static final int DEFAULT_SLOW_MS = 500;

    @Override
    public String name() {
        return "storage";
    }

    @Override
    public String summary() {
        return "failed after a fixed silence; suspect while synced writes are slow (option slow-ms, 1 to 60000, default 500)";
    }

    @Override
    public Judge judge(long heartbeatTimeoutNanos, Map<String, String> settings) {
        if (!Set.of(SLOW).containsAll(settings.keySet())) {
            throw new IllegalArgumentException("storage has the option " + SLOW + " alone");
        }
        return new StorageJudge(heartbeatTimeoutNanos, slowMicros(settings));
    }

    private static long slowMicros(Map<String, String> settings) {
        try {
            int millis = Integer.parseInt(settings.getOrDefault(SLOW, Integer.toString(DEFAULT_SLOW_MS)));
            if (millis >= 1 && millis <= 60_000) {
                return millis * 1_000L;
            }
        } catch (NumberFormatException e) {
            // said below, with what is expected
        }
        throw new IllegalArgumentException(
                SLOW + " is \"" + settings.get(SLOW) + "\"; expected a whole number from 1 to 60000");
    }

    /** Judges one instance. Has no clock: time comes with each call. */
    private static final class StorageJudge implements Judge {
        private final long timeoutNanos;
        private final long slowMicros;
        private boolean heard;
        private long lastNanos;
        private String slow = "";

        StorageJudge(long timeoutNanos, long slowMicros) {
            this.timeoutNanos = timeoutNanos;
            this.slowMicros = slowMicros;
        }

        @Override
        public void heard(Heartbeat heartbeat) {
            heard = true;
            lastNanos = heartbeat.receivedNanos();
            slow = heartbeat
                    .ioMicros()
                    .map(micros -> micros > slowMicros ? "a synced write took " + micros / 1_000 + " ms" : "")
                    .orElse("a synced write does not return");
        }

        @Override
        public Verdict verdict(long nowNanos) {
            if (!heard) {
                return new Verdict(Health.UNKNOWN, "not heard yet", Long.MAX_VALUE);
            }
            long deadline = lastNanos + timeoutNanos;
            if (nowNanos >= deadline) {
                return new Verdict(
                        Health.FAILED, "silent for " + (nowNanos - lastNanos) / 1_000_000 + " ms", Long.MAX_VALUE);
            }
            return slow.isEmpty()
                    ? new Verdict(Health.HEALTHY, "answers", deadline)
                    : new Verdict(Health.SUSPECT, slow, deadline);
        }
    }
}
