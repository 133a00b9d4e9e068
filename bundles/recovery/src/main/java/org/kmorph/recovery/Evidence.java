// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.time.TimeSource;

/** What is known of an instance at the moment at which its recovery begins, by name, for people. */
final class Evidence {
    /** Characters of a console that are kept, the last: each step of a recovery is recorded with them. */
    static final int CONSOLE_MOST = 4_000;

    private Evidence() {}

    /** @param console the last lines of its console; none where it has written nothing, or that cannot be read */
    static Map<String, String> of(
            Instance instance, Optional<HealthReport> report, List<String> console, TimeSource time) {
        Map<String, String> evidence = new TreeMap<>();
        evidence.put("image_release", instance.imageRelease());
        if (!console.isEmpty()) {
            String all = String.join("\n", console);
            evidence.put("console", all.substring(Math.max(0, all.length() - CONSOLE_MOST)));
        }
        report.ifPresent(known -> {
            evidence.put("health", known.health() + ": " + known.reason());
            evidence.put("heartbeats", known.sent() + " sent, " + known.missed() + " without an answer in time");
            known.kernelRelease().ifPresent(release -> evidence.put("kernel_release", release));
            if (!known.heartbeats().isEmpty()) {
                evidence.put(
                        "last_heartbeats",
                        known.heartbeats().stream()
                                .map(heartbeat -> told(heartbeat, time))
                                .collect(Collectors.joining("\n")));
            }
            if (!known.troubles().isEmpty()) {
                evidence.put("troubles", String.join("; ", known.troubles()));
            }
        });
        return evidence;
    }

    /** One line: when it came, and what it said. */
    private static String told(Heartbeat heartbeat, TimeSource time) {
        Instant came = time.now().minusNanos(time.nanos() - heartbeat.receivedNanos());
        return String.format(
                Locale.ROOT,
                "%s after %.3f ms: agent %s, workload %s, up %d ms, cpu %.0f %%, load %.2f, %d of %d bytes available, synced write %s",
                came.truncatedTo(ChronoUnit.MILLIS),
                heartbeat.roundTripNanos() / 1e6,
                heartbeat.agentState(),
                heartbeat.workloadState(),
                heartbeat.uptimeMillis(),
                heartbeat.cpuRatio() * 100,
                heartbeat.load(),
                heartbeat.memoryAvailableBytes(),
                heartbeat.memoryTotalBytes(),
                heartbeat.ioMicros().map(micros -> micros + " us").orElse("not measured"));
    }
}
