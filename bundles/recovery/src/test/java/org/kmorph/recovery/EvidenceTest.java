// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.time.TimeSource;

class EvidenceTest {
    private static final long NOW_NANOS = 60_000_000_000L;

    private static final TimeSource TIME = new TimeSource() {
        @Override
        public long nanos() {
            return NOW_NANOS;
        }

        @Override
        public Instant now() {
            return Instant.parse("2026-03-01T12:00:00Z");
        }
    };

    private static Instance instance() {
        return new World(Integer.MAX_VALUE).running("web", 1);
    }

    @Test
    void ofALongConsoleTheEndIsKept() {
        String console = Evidence.of(instance(), Optional.empty(), List.of("x".repeat(100_000), "the end"), TIME)
                .get("console");
        assertThat(console).hasSize(Evidence.CONSOLE_MOST).endsWith("x\nthe end");
    }

    @Test
    void aConsoleOnWhichNothingWasWrittenIsNoEvidence() {
        assertThat(Evidence.of(instance(), Optional.empty(), List.of(), TIME)).containsOnlyKeys("image_release");
    }

    @Test
    void eachOfTheLastHeartbeatsHasItsTimeAndItsFigures() {
        HealthReport report = report(List.of(
                heartbeat(Duration.ofMillis(1_500), "running", Optional.of(320L)),
                heartbeat(Duration.ofMillis(1_250), "failed", Optional.empty())));
        Map<String, String> evidence = Evidence.of(instance(), Optional.of(report), List.of(), TIME);
        assertThat(evidence.get("last_heartbeats").lines())
                .containsExactly(
                        "2026-03-01T11:59:58.500Z after 0.250 ms: agent ready, workload running, up 7000 ms, cpu 25 %,"
                                + " load 0.50, 1000 of 4000 bytes available, synced write 320 us",
                        "2026-03-01T11:59:58.750Z after 0.250 ms: agent ready, workload failed, up 7000 ms, cpu 25 %,"
                                + " load 0.50, 1000 of 4000 bytes available, synced write not measured");
    }

    @Test
    void ofOneThatWasNeverHeardThereAreNoHeartbeats() {
        assertThat(Evidence.of(instance(), Optional.of(report(List.of())), List.of(), TIME))
                .containsOnlyKeys("image_release", "health", "heartbeats");
    }

    private static Heartbeat heartbeat(Duration ago, String workload, Optional<Long> ioMicros) {
        return new Heartbeat(
                NOW_NANOS - ago.toNanos(), 250_000, 1, "ready", workload, 7_000, 0.25, 4_000, 1_000, ioMicros, 0.5);
    }

    private static HealthReport report(List<Heartbeat> heartbeats) {
        return new HealthReport(
                "web",
                1,
                Health.FAILED,
                "silent",
                Optional.empty(),
                "timeout",
                Optional.of(false),
                Optional.empty(),
                heartbeats,
                List.of(),
                2,
                0,
                Map.of());
    }
}
