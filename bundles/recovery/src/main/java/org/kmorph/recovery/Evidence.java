// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;

/** What is known of an instance at the moment at which its recovery begins, by name, for people. */
final class Evidence {
    /** Characters of a console that are kept, the last: each step of a recovery is recorded with them. */
    static final int CONSOLE_MOST = 4_000;

    private Evidence() {}

    /** @param console the last lines of its console; none where it has written nothing, or that cannot be read */
    static Map<String, String> of(Instance instance, Optional<HealthReport> report, List<String> console) {
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
            known.lastHeartbeat().ifPresent(last -> evidence.put("last_heartbeat", told(last)));
            if (!known.troubles().isEmpty()) {
                evidence.put("troubles", String.join("; ", known.troubles()));
            }
        });
        return evidence;
    }

    private static String told(Heartbeat last) {
        return "agent " + last.agentState() + ", up " + last.uptimeMillis() + " ms, load " + last.load() + ", "
                + last.memoryAvailableBytes() + " of " + last.memoryTotalBytes() + " bytes available";
    }
}
