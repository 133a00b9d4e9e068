// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Map;
import java.util.Set;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.health.Heartbeat;
import org.osgi.service.component.annotations.Component;

/**
 * The policy {@code timeout}: an instance that was silent for its heartbeat timeout has failed; after two thirds of it, which is a
 * heartbeat lost, it is suspect. One that comes back after its time was over (its kernel had answered, or the monitor had distrusted
 * itself) has transient trouble: each time doubles what it is allowed, up to eight times; ten timeouts of steady answers halve it again.
 */
@Component
public final class TimeoutPolicy implements HealthPolicy {
    static final String NAME = "timeout";

    private static final String MAX_BACKOFF = "max-backoff";
    private static final int DEFAULT_MAX_BACKOFF = 8;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "failed after a fixed silence; doubled for instances that keep coming back (setting max-backoff, 1 to 64, default 8)";
    }

    @Override
    public Judge judge(long heartbeatTimeoutNanos, Map<String, String> settings) {
        Settings.allow(settings, Set.of(MAX_BACKOFF));
        return new TimeoutJudge(
                heartbeatTimeoutNanos, Settings.whole(settings, MAX_BACKOFF, DEFAULT_MAX_BACKOFF, 1, 64));
    }

    /** Judges one instance. */
    private static final class TimeoutJudge implements Judge {
        private static final int STEADY_TIMEOUTS = 10;

        private final long timeoutNanos;
        private final int maxBackoff;
        private int backoff = 1;
        private boolean heard;
        private boolean overdue;
        private long lastNanos;
        private long steadySinceNanos;

        TimeoutJudge(long timeoutNanos, int maxBackoff) {
            this.timeoutNanos = timeoutNanos;
            this.maxBackoff = maxBackoff;
        }

        @Override
        public void heard(Heartbeat heartbeat) {
            long now = heartbeat.receivedNanos();
            if (overdue) {
                backoff = Math.min(maxBackoff, backoff * 2);
                overdue = false;
                steadySinceNanos = now;
            } else if (backoff > 1 && now - steadySinceNanos >= STEADY_TIMEOUTS * timeoutNanos) {
                backoff /= 2;
                steadySinceNanos = now;
            }
            heard = true;
            lastNanos = now;
        }

        @Override
        public Verdict verdict(long nowNanos) {
            if (!heard) {
                return new Verdict(Health.UNKNOWN, "not heard yet", Long.MAX_VALUE);
            }
            long allowed = timeoutNanos * backoff;
            long silent = nowNanos - lastNanos;
            if (silent >= allowed) {
                overdue = true;
                return new Verdict(Health.FAILED, silence(silent, allowed), Long.MAX_VALUE);
            }
            long suspicious = allowed / 3 * 2;
            if (silent >= suspicious) {
                return new Verdict(Health.SUSPECT, silence(silent, allowed), lastNanos + allowed);
            }
            return new Verdict(Health.HEALTHY, "answers", lastNanos + suspicious);
        }

        private static String silence(long silent, long allowed) {
            return "silent for " + Settings.millis(silent) + ", " + Settings.millis(allowed) + " allowed";
        }
    }
}
