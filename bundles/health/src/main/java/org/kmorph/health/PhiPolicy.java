// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.health.Heartbeat;
import org.osgi.service.component.annotations.Component;

/**
 * The policy {@code phi}: how improbable the present silence is, given how regularly this instance answered before (N. Hayashibara
 * et al., "The phi accrual failure detector", 2004). phi = -log10 of the probability that an answer still comes; the distribution of
 * the intervals is taken as normal, over the last 200 of them. The heartbeat timeout is the longest silence that is ever allowed, and
 * the only measure until enough answers were heard.
 */
@Component
public final class PhiPolicy implements HealthPolicy {
    private static final String THRESHOLD = "threshold";
    private static final int DEFAULT_THRESHOLD = 12;

    @Override
    public String name() {
        return "phi";
    }

    @Override
    public String summary() {
        return "failed when the silence is improbable by what was heard before (setting threshold, 1 to 16, default 12)";
    }

    @Override
    public Judge judge(long heartbeatTimeoutNanos, Map<String, String> settings) {
        Settings.allow(settings, Set.of(THRESHOLD));
        return new PhiJudge(heartbeatTimeoutNanos, Settings.whole(settings, THRESHOLD, DEFAULT_THRESHOLD, 1, 16));
    }

    /** Judges one instance. */
    private static final class PhiJudge implements Judge {
        private static final int WINDOW = 200;
        private static final int ENOUGH = 10;

        /** How often a verdict between the thresholds is asked for again. */
        private static final int STEPS = 20;

        private final long timeoutNanos;
        private final double threshold;
        private final double[] intervals = new double[WINDOW];
        private int count;
        private boolean heard;
        private long lastNanos;

        PhiJudge(long timeoutNanos, double threshold) {
            this.timeoutNanos = timeoutNanos;
            this.threshold = threshold;
        }

        @Override
        public void heard(Heartbeat heartbeat) {
            if (heard) {
                intervals[count++ % WINDOW] = heartbeat.receivedNanos() - lastNanos;
            }
            heard = true;
            lastNanos = heartbeat.receivedNanos();
        }

        @Override
        public Verdict verdict(long nowNanos) {
            if (!heard) {
                return new Verdict(Health.UNKNOWN, "not heard yet", Long.MAX_VALUE);
            }
            long silent = nowNanos - lastNanos;
            double phi = phi(silent);
            String reason = String.format(
                    Locale.ROOT, "silent for %s, phi %.1f, threshold %.0f", Settings.millis(silent), phi, threshold);
            if (silent >= timeoutNanos || phi >= threshold) {
                return new Verdict(Health.FAILED, reason, Long.MAX_VALUE);
            }
            long again = nowNanos + Math.max(1_000_000, timeoutNanos / STEPS);
            if (phi >= threshold / 2 || silent >= timeoutNanos / 2) {
                return new Verdict(Health.SUSPECT, reason, Math.min(again, lastNanos + timeoutNanos));
            }
            return new Verdict(Health.HEALTHY, "answers", again);
        }

        private double phi(long silentNanos) {
            int known = Math.min(count, WINDOW);
            if (known < ENOUGH) {
                return 0;
            }
            double mean = 0;
            for (int i = 0; i < known; i++) {
                mean += intervals[i] / known;
            }
            double variance = 0;
            for (int i = 0; i < known; i++) {
                variance += (intervals[i] - mean) * (intervals[i] - mean) / known;
            }
            // A very regular peer must not be condemned for one late packet: no less than a quarter of the mean
            // interval.
            double deviation = Math.max(Math.sqrt(variance), mean / 4);
            return -Math.log10(Math.max(tail((silentNanos - mean) / deviation), 1e-300));
        }

        /** The upper tail of the standard normal distribution, by a logistic approximation (error below 2e-4 in the body). */
        private static double tail(double z) {
            double exponent = z * (1.5976 + 0.070566 * z * z);
            double e = Math.exp(-exponent);
            return z > 0 ? e / (1 + e) : 1 - 1 / (1 + e);
        }
    }
}
