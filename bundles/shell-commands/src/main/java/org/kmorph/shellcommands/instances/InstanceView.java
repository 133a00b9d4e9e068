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
import org.kmorph.api.morph.MorphStatus;

/** An instance as {@code list} and {@code status} print it. */
public final class InstanceView {
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
            Column.text("morph", "MORPH"),
            Column.of("since", "SINCE", Kind.INSTANT).onlyWide(),
            Column.text("detail", "DETAIL").onlyWide(),
            Column.text("health_reason", "REASON").onlyWide(),
            Column.text("troubles", "TROUBLES").onlyWide(),
            Column.of("age_ms", "LAST HEARD", Kind.MILLIS).onlyWide(),
            Column.of("cid", "CID", Kind.NUMBER).onlyWide(),
            Column.text("kernel_release_from", "RELEASE FROM").onlyWide(),
            Column.text("address", "ADDRESS").onlyWide(),
            Column.text("label", "LABEL").onlyWide(),
            Column.text("kernel", "IMAGE").onlyWide(),
            Column.text("morph_to", "MORPH TO").onlyWide(),
            Column.of("morph_since", "MORPH SINCE", Kind.INSTANT).onlyWide(),
            Column.text("workload", "WORKLOAD").onlyWide(),
            Column.of("standby_for_id", "STANDBY FOR", Kind.NUMBER).onlyWide(),
            Column.text("monitor", "WATCHED").onlyWide(),
            Column.text("not_isolated", "NOT ISOLATED").onlyWide());

    private InstanceView() {}

    /**
     * @param morph of it, if one is under way
     * @param nowNanos by {@link org.kmorph.api.time.TimeSource#nanos}, of which heartbeats have their times
     */
    static Map<String, Object> row(
            Instance instance, Optional<HealthReport> report, Optional<MorphStatus> morph, long nowNanos) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("name", instance.name());
        row.put("id", instance.id());
        row.put("state", instance.state());
        row.put("health", report.map(HealthReport::health).orElse(Health.UNKNOWN));
        row.put("host", instance.spec().host());
        putRelease(row, instance, report);
        report.flatMap(HealthReport::lastHeartbeat).ifPresent(heartbeat -> putFigures(row, heartbeat));
        morph.ifPresent(status -> putMorph(row, status));
        row.put("since", instance.since());
        row.put("detail", instance.detail());
        report.ifPresent(known -> row.put("health_reason", known.reason()));
        report.ifPresent(known -> row.put("troubles", known.troubles()));
        report.flatMap(HealthReport::lastHeartbeat)
                .ifPresent(heartbeat -> row.put("age_ms", (nowNanos - heartbeat.receivedNanos()) / 1e6));
        row.put("cid", instance.contextId());
        instance.spec().address().ifPresent(address -> row.put("address", address));
        instance.spec().label().ifPresent(label -> row.put("label", label));
        row.put("kernel", instance.spec().kernel());
        row.put("workload", instance.spec().workload());
        instance.spec().successorOf().ifPresent(id -> row.put("standby_for_id", id));
        row.put("monitor", instance.spec().monitor());
        row.put("not_isolated", instance.notIsolated());
        return row;
    }

    /**
     * The release of its kernel. A local instance has no kernel of its own, and is never shown as if it had booted the image that it
     * names.
     */
    public static String release(Instance instance, Optional<HealthReport> report) {
        return isLocal(instance)
                ? instance.imageRelease() + " (local)"
                : report.flatMap(HealthReport::kernelRelease).orElse(instance.imageRelease());
    }

    private static boolean isLocal(Instance instance) {
        return instance.spec().host().equals("local");
    }

    private static void putRelease(Map<String, Object> row, Instance instance, Optional<HealthReport> report) {
        row.put("kernel_release", release(instance, report));
        boolean told = report.flatMap(HealthReport::kernelRelease).isPresent();
        row.put(
                "kernel_release_from",
                isLocal(instance) ? "the image; not booted: local" : told ? "the running kernel" : "the image");
    }

    private static void putMorph(Map<String, Object> row, MorphStatus status) {
        row.put("morph", status.inWords());
        row.put("morph_to", status.to().isEmpty() ? status.kernel() : status.to());
        row.put("morph_since", status.since());
    }

    private static void putFigures(Map<String, Object> row, Heartbeat heartbeat) {
        row.put("cpu_ratio", heartbeat.cpuRatio());
        row.put("memory_available_bytes", heartbeat.memoryAvailableBytes());
        row.put("rtt_ms", heartbeat.roundTripNanos() / 1e6);
    }
}
