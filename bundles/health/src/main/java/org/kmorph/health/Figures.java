// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.kmorph.api.health.HealthMonitor.Windows;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.kmp.HeartbeatAnswerFlyweight;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmpclient.HeartbeatReceipt;

/** What heartbeats say, and that over time. Not thread-safe. */
final class Figures {
    static final String CPU = "cpu";
    static final String MEMORY = "memory";
    static final String IO = "io";
    static final String RTT = "rtt";

    private static final List<String> AGENT_STATES = words(AgentState.values(), AgentState.STARTING.code());
    private static final List<String> WORKLOAD_STATES = words(WorkloadState.values(), WorkloadState.NONE.code());

    private final MetricWindow cpu = new MetricWindow();
    private final MetricWindow memory = new MetricWindow();
    private final MetricWindow io = new MetricWindow();
    private final MetricWindow rtt = new MetricWindow();
    private final Map<String, MetricWindow> windows = Map.of(CPU, cpu, MEMORY, memory, IO, io, RTT, rtt);

    /** The words of an enumeration by its codes, which are gapless. */
    private static List<String> words(Enum<?>[] values, int first) {
        return Stream.concat(
                        Stream.<String>generate(() -> "").limit(first),
                        Stream.of(values).map(value -> value.name().toLowerCase(Locale.ROOT)))
                .toList();
    }

    /** Takes over what another monitor knew, as far as its windows tell. */
    void resume(Map<String, Windows> known, long nowNanos) {
        known.forEach((metric, before) ->
                Optional.ofNullable(windows.get(metric)).ifPresent(window -> window.resume(nowNanos, before)));
    }

    Heartbeat record(HeartbeatReceipt receipt) {
        HeartbeatAnswerFlyweight said = receipt.figures();
        long now = receipt.receivedNanos();
        Optional<Long> ioMicros =
                (said.flags() & (HeartbeatAnswerFlyweight.IO_STUCK | HeartbeatAnswerFlyweight.IO_UNMEASURED)) == 0
                        ? Optional.of(said.ioMicros())
                        : Optional.empty();
        Heartbeat heartbeat = new Heartbeat(
                now,
                now - receipt.sentNanos(),
                said.bootId(),
                AGENT_STATES.get(said.agentState()),
                WORKLOAD_STATES.get(said.workloadState()),
                said.uptimeMillis(),
                Math.min(said.cpuUse(), 10_000) / 10_000.0,
                said.memoryTotalBytes(),
                said.memoryAvailableBytes(),
                ioMicros,
                said.load1() / 100.0);
        cpu.record(now, heartbeat.cpuRatio());
        memory.record(now, Math.max(0, heartbeat.memoryTotalBytes() - heartbeat.memoryAvailableBytes()));
        rtt.record(now, heartbeat.roundTripNanos() / 1e6);
        ioMicros.ifPresent(micros -> io.record(now, micros));
        return heartbeat;
    }

    Map<String, Windows> windows(long nowNanos) {
        Map<String, Windows> result = new TreeMap<>();
        windows.forEach((metric, window) -> result.put(metric, window.windows(nowNanos)));
        return result;
    }
}
