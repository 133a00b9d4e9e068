// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.HealthMonitor.Windows;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;

/** An instance and what is known of its health, at one moment. */
record Row(Instance instance, Optional<HealthReport> report) {
    static final String CPU = "cpu";
    static final String RTT = "rtt";

    String name() {
        return instance.name();
    }

    Health health() {
        return report.map(HealthReport::health).orElse(Health.UNKNOWN);
    }

    Optional<Heartbeat> heartbeat() {
        return report.flatMap(HealthReport::lastHeartbeat);
    }

    /** 0 to 1. */
    OptionalDouble cpu() {
        return heartbeat().stream().mapToDouble(Heartbeat::cpuRatio).findFirst();
    }

    /** What of its memory is in use, 0 to 1. */
    OptionalDouble memory() {
        return heartbeat().stream()
                .filter(beat -> beat.memoryTotalBytes() > 0)
                .mapToDouble(beat -> 1 - (double) beat.memoryAvailableBytes() / beat.memoryTotalBytes())
                .findFirst();
    }

    OptionalDouble roundTripMillis() {
        return heartbeat().stream()
                .mapToDouble(beat -> beat.roundTripNanos() / 1e6)
                .findFirst();
    }

    long missed() {
        return report.map(HealthReport::missed).orElse(0L);
    }

    /** The newest values of a metric, oldest first. */
    List<Double> recent(String metric) {
        return report.map(known -> known.windows().get(metric))
                .map(Windows::recent)
                .orElse(List.of());
    }

    /** What there is to say of it, worst first: for people. */
    String remark() {
        String reason = report.map(HealthReport::reason).orElse(instance.detail());
        List<String> troubles = report.map(HealthReport::troubles).orElse(List.of());
        return troubles.isEmpty() ? reason : String.join("; ", troubles) + "; " + reason;
    }
}
