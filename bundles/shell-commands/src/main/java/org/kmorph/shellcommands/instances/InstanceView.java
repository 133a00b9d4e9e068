// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;

/** An instance as {@code list} and {@code status} print it. */
final class InstanceView {
    static final List<Column> COLUMNS = List.of(
            Column.text("name", "NAME"),
            Column.of("id", "ID", Kind.NUMBER),
            Column.text("state", "STATE"),
            Column.text("health", "HEALTH"),
            Column.text("host", "HOST"),
            Column.text("kernel_release", "KERNEL"),
            Column.of("cpu_ratio", "CPU", Kind.RATIO),
            Column.of("memory_available_bytes", "FREE", Kind.BYTES),
            Column.of("rtt_ms", "RTT", Kind.MILLIS),
            Column.of("since", "SINCE", Kind.INSTANT).onlyWide(),
            Column.text("detail", "DETAIL").onlyWide(),
            Column.text("health_reason", "REASON").onlyWide(),
            Column.of("cid", "CID", Kind.NUMBER).onlyWide(),
            Column.text("kernel_release_from", "RELEASE FROM").onlyWide(),
            Column.text("kernel", "IMAGE").onlyWide(),
            Column.text("workload", "WORKLOAD").onlyWide(),
            Column.text("monitor", "WATCHED").onlyWide(),
            Column.text("not_isolated", "NOT ISOLATED").onlyWide());

    private InstanceView() {}

    static Map<String, Object> row(Instance instance, Optional<HealthReport> report) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("name", instance.name());
        row.put("id", instance.id());
        row.put("state", instance.state());
        row.put("health", report.map(HealthReport::health).orElse(Health.UNKNOWN));
        row.put("host", instance.spec().host());
        putRelease(row, instance, report);
        report.flatMap(HealthReport::lastHeartbeat).ifPresent(heartbeat -> putFigures(row, heartbeat));
        row.put("since", instance.since());
        row.put("detail", instance.detail());
        report.ifPresent(known -> row.put("health_reason", known.reason()));
        row.put("cid", instance.contextId());
        row.put("kernel", instance.spec().kernel());
        row.put("workload", instance.spec().workload());
        row.put("monitor", instance.spec().monitor());
        row.put("not_isolated", instance.notIsolated());
        return row;
    }

    /** A local instance has no kernel of its own, and is never shown as if it had booted the image that it names. */
    private static void putRelease(Map<String, Object> row, Instance instance, Optional<HealthReport> report) {
        Optional<String> told = report.flatMap(HealthReport::kernelRelease);
        if (instance.spec().host().equals("local")) {
            row.put("kernel_release", instance.imageRelease() + " (local)");
            row.put("kernel_release_from", "the image; not booted: local");
        } else {
            row.put("kernel_release", told.orElse(instance.imageRelease()));
            row.put("kernel_release_from", told.isPresent() ? "the running kernel" : "the image");
        }
    }

    private static void putFigures(Map<String, Object> row, Heartbeat heartbeat) {
        row.put("cpu_ratio", heartbeat.cpuRatio());
        row.put("memory_available_bytes", heartbeat.memoryAvailableBytes());
        row.put("rtt_ms", heartbeat.roundTripNanos() / 1e6);
    }
}
