// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.health;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/** Watches instances by heartbeat. Thread-safe. */
@ProviderType
public interface HealthMonitor {
    /** How an instance is, if it is watched. */
    Optional<HealthReport> report(String instance);

    /** All that are watched. */
    List<HealthReport> reports();

    /** Those of all that are watched who are judged so. Cheaper than all of them, of which only these are looked at. */
    default List<HealthReport> reports(Health judged) {
        return reports().stream().filter(report -> report.health() == judged).toList();
    }

    /**
     * Sends one heartbeat now, besides the regular ones, and waits for its answer.
     *
     * @return the round trip; empty when no answer came within {@code deadline}
     */
    Optional<Duration> ping(String instance, Duration deadline) throws InterruptedException;

    /**
     * How an instance is.
     *
     * @param instance its name
     * @param id its id, by which it is told from another that had or will have its name
     * @param health the judgement
     * @param reason of the judgement, for people
     * @param end how its host has seen it end, if it has: an end is told from a silence by this
     * @param policy the name of the policy that judged
     * @param kernelAnswers whether the transport itself answers (no user space involved); empty where that cannot be told
     * @param kernelRelease the kernel release as the running kernel itself tells it, once heard
     * @param heartbeats the newest heartbeats, at most {@link #HEARTBEATS}, oldest first
     * @param troubles what the agent itself reports and what still holds, for people: {@code memory pressure: 40 MiB of 1 GiB
     *     available}
     * @param sent heartbeats sent
     * @param missed heartbeats without an answer in time
     * @param windows metrics over the last 1, 5 and 15 minutes, by metric: {@code cpu}, {@code memory}, {@code io}, {@code rtt}
     */
    record HealthReport(
            String instance,
            int id,
            Health health,
            String reason,
            Optional<String> end,
            String policy,
            Optional<Boolean> kernelAnswers,
            Optional<String> kernelRelease,
            List<Heartbeat> heartbeats,
            List<String> troubles,
            long sent,
            long missed,
            Map<String, Windows> windows) {
        /** How many heartbeats are kept. */
        public static final int HEARTBEATS = 8;

        /** The newest heartbeat, if one was ever heard. */
        public Optional<Heartbeat> lastHeartbeat() {
            return heartbeats.isEmpty() ? Optional.empty() : Optional.of(heartbeats.get(heartbeats.size() - 1));
        }
    }

    /**
     * A metric over time, in its own unit: {@code cpu} a ratio, {@code memory} bytes used, {@code io} microseconds, {@code rtt}
     * milliseconds.
     *
     * @param last the newest value
     * @param mean1 mean over 1 minute; likewise 5 and 15
     * @param peak the highest value over 15 minutes
     * @param recent up to 60 newest values, oldest first, for sparklines
     */
    record Windows(double last, double mean1, double mean5, double mean15, double peak, List<Double> recent) {}
}
