// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What {@code recovery-log} tells of recoveries that are over: what was known of the instance, and which ones of them. */
class RecoveryLogTest {
    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    private static final String NAME = "web";

    private static final Pattern HEARTBEAT = Pattern.compile(
            "[-0-9]+T[0-9:.]+Z after [0-9.]+ ms: agent \\w+, workload running, up [1-9]\\d* ms, cpu \\d+ %,"
                    + " load [0-9.]+, [1-9]\\d* of [1-9]\\d* bytes available, synced write (\\d+ us|not measured)");

    private final LocalInstances instances = new LocalInstances(KMORPH);

    @BeforeEach
    void start() {
        instances
                .spawn(NAME, "--workload=/bin/sh", "--workload=-c", "--workload=echo last words of $$; exec sleep 1000")
                .ok();
        instances.awaitHealth(NAME, "HEALTHY");
    }

    @AfterEach
    void end() {
        KMORPH.ctl("terminate", NAME, "--force").ok();
    }

    /** Of this instance; the options stand after that. */
    private static List<Map<String, Object>> log(String... options) {
        List<String> words = new ArrayList<>(List.of("recovery-log", "--instance=" + NAME, "-o", "json"));
        words.addAll(Arrays.asList(options));
        return KMORPH.ctl(words.toArray(String[]::new)).ok().jsonRows();
    }

    private int id() {
        return (int) instances.status(NAME).get("id");
    }

    /** Has the instance fail. @return its recovery, which is over */
    private Map<String, Object> healed() {
        int failed = id();
        LocalInstances.signal("KILL", instances.agent(failed));
        return Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> log().stream()
                                .filter(row -> row.get("id").equals(failed))
                                .findFirst()
                                .orElse(Map.of()),
                        row -> "RECOVERY_COMPLETE".equals(row.get("state")));
    }

    @Test
    @SuppressWarnings("unchecked")
    void theEvidenceHasTheEndOfTheConsoleAndTheLastHeartbeats() {
        Awaitility.await().until(() -> KMORPH.ctl("console", NAME).out().contains("last words of "));
        Awaitility.await()
                .until(() -> (int) KMORPH.ctl("heartbeat", NAME, "-o", "json")
                                .ok()
                                .json()
                                .get("sent")
                        > 2);
        String console = KMORPH.ctl("console", NAME).ok().out();
        Map<String, Object> evidence = (Map<String, Object>) healed().get("evidence");
        assertThat(String.valueOf(evidence.get("console")).lines())
                .containsAll(console.lines().filter(line -> !line.isBlank()).toList());
        assertThat(String.valueOf(evidence.get("heartbeats")))
                .matches("([3-9]|\\d\\d+) sent, \\d+ without an answer in time");
        List<String> heartbeats =
                String.valueOf(evidence.get("last_heartbeats")).lines().toList();
        assertThat(heartbeats)
                .hasSizeBetween(2, 8)
                .allMatch(line -> HEARTBEAT.matcher(line).matches());
        assertThat(heartbeats.stream().map(line -> Instant.parse(line.substring(0, line.indexOf(' ')))))
                .isSorted()
                .allMatch(time -> Duration.between(time, Instant.now()).abs().toMinutes() < 5);
        assertThat(String.valueOf(evidence.get("health")))
                .startsWith("FAILED: ")
                .contains("killed by signal 9");
        assertThat(evidence).containsEntry("image_release", KernelFile.RELEASE);
    }

    @Test
    void onlyWhatWasUnderWayFromThenOnIsShown() {
        Map<String, Object> first = healed();
        Instant between = Instant.now();
        instances.awaitHealth(NAME, "HEALTHY");
        Map<String, Object> second = healed();
        assertThat(log()).endsWith(first, second);
        assertThat(log("--since=1h")).endsWith(first, second);
        assertThat(log("--since=" + between)).containsExactly(second);
        assertThat(log("--since=" + first.get("begun"))).contains(first, second);
        assertThat(log("--since=" + Instant.now().plusSeconds(1))).isEmpty();
        Result wrong = KMORPH.ctl("recovery-log", "--since=yesterday");
        assertThat(wrong.status()).isEqualTo(2);
        assertThat(wrong.err()).contains("yesterday");
    }
}
