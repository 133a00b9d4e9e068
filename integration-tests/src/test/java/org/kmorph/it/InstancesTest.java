// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Local instances from outside: spawned, watched, killed, ended; each option has its effect, and nothing is left of any. */
class InstancesTest {
    private static final int NO_SUCH_INSTANCE = 4;
    private static final int TIMED_OUT = 6;

    /** By whoever asks once and again: twice the deadline. */
    private static final Duration KILL_SEEN = Duration.ofSeconds(1);

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    private final LocalInstances instances = new LocalInstances(KMORPH);

    /** What becomes of an instance by itself is the matter here, not its healing. */
    @BeforeAll
    static void healNobody() {
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
    }

    @AfterEach
    void nothingIsLeft() {
        for (Map<String, Object> row : KMORPH.ctl("list", "-o", "json").ok().jsonRows()) {
            instances.processes((int) row.get("id")).forEach(pid -> LocalInstances.signal("CONT", pid));
            KMORPH.ctl("terminate", String.valueOf(row.get("name")), "--force").ok();
        }
        assertThat(instances.allProcesses()).isEmpty();
        assertThat(instances.directories()).isEmpty();
    }

    private int spawned(String name, String... options) {
        instances.spawn(name, options).ok();
        return (int) instances.status(name).get("id");
    }

    @Test
    void anInstanceIsListedWatchedAndEnded() {
        int id = spawned("web", "--workload=/bin/sleep", "--workload=1000");
        instances.awaitHealth("web", "HEALTHY");
        Map<String, Object> row =
                KMORPH.ctl("list", "-o", "json").ok().jsonRows().get(0);
        assertThat(row)
                .containsEntry("name", "web")
                .containsEntry("state", "RUNNING")
                .containsEntry("host", "local")
                .containsEntry("cid", id + 2)
                .containsEntry("kernel_release", KernelFile.RELEASE + " (local)")
                .containsEntry("workload", List.of("/bin/sleep", "1000"));
        assertThat(KMORPH.ctl("list").ok().out()).contains("web", "HEALTHY").doesNotContain("WORKLOAD");
        assertThat(KMORPH.ctl("list", "--verbose").ok().out()).contains("/bin/sleep 1000", "not booted: local");
        assertThat(KMORPH.ctl("health", "web", "--metrics=cpu,memory", "-o", "json")
                        .ok()
                        .jsonRows())
                .extracting(metric -> metric.get("metric"))
                .containsExactly("cpu", "memory");
        assertThat(KMORPH.ctl("heartbeat", "web", "-o", "json").ok().json())
                .containsEntry("health", "HEALTHY")
                .containsEntry("policy", "timeout")
                .containsKeys("rtt_ms", "boot_id", "uptime_ms");
        assertThat(KMORPH.ctl("ping", "web", "--count=3", "--interval=10ms")
                        .ok()
                        .out())
                .contains("3 sent, 3 answered, 0% lost")
                .containsPattern("rtt min/mean/p99 = [0-9.]+/[0-9.]+/[0-9.]+ ms");
        assertThat(instances.processes(id)).hasSizeGreaterThanOrEqualTo(3);
        KMORPH.ctl("terminate", "web").ok();
        assertThat(KMORPH.ctl("status", "web").status()).isEqualTo(NO_SUCH_INSTANCE);
    }

    @Test
    void anAgentThatIsKilledIsDetectedAndNamedWithinItsDeadline() throws Exception {
        assertThat(Rounds.until(KILL_SEEN, this::killedAgentIsSeenAfter)).isLessThan(KILL_SEEN);
        assertThat(KMORPH.log()).contains("instance \"web\" was HEALTHY and is FAILED: it was killed by signal 9");
    }

    private Duration killedAgentIsSeenAfter() {
        int id = spawned("web", "--heartbeat-timeout=500ms");
        instances.awaitHealth("web", "HEALTHY");
        long agent = instances.agent(id);
        long killed = System.nanoTime();
        LocalInstances.signal("KILL", agent);
        instances.awaitHealth("web", "FAILED");
        Duration took = Duration.ofNanos(System.nanoTime() - killed);
        System.out.printf("killed agent: seen as FAILED %d ms later, 500 ms allowed%n", took.toMillis());
        assertThat(String.valueOf(instances.status("web").get("health_reason"))).contains("killed by signal 9");
        KMORPH.ctl("terminate", "web", "--force").ok();
        return took;
    }

    @Test
    void anAgentThatHangsIsNotTakenForADeadKernelAndComesBack() {
        int id = spawned("web", "--heartbeat-timeout=300ms");
        instances.awaitHealth("web", "HEALTHY");
        List<Long> processes = instances.processes(id);
        processes.stream().skip(1).forEach(pid -> LocalInstances.signal("STOP", pid));
        instances.awaitHealth("web", "AGENT_DEAD");
        assertThat(KMORPH.ctl("heartbeat", "web", "-o", "json").ok().json()).containsEntry("kernel_answers", true);
        processes.stream().skip(1).forEach(pid -> LocalInstances.signal("CONT", pid));
        instances.awaitHealth("web", "HEALTHY");
    }

    @Test
    void aWorkloadIsAskedToStopAndHasItsTimeForThat() throws IOException {
        Path mark = Files.createTempFile("kmorph", ".mark");
        Path script = Files.createTempFile("kmorph", ".sh");
        Files.writeString(
                script,
                "trap 'echo stopped >" + mark + "; exit 0' TERM\necho started >" + mark
                        + "\nwhile :; do sleep 0.1; done\n");
        spawned("web", "--workload=/bin/sh", "--workload=" + script);
        Awaitility.await().until(() -> Files.readString(mark).contains("started"));
        KMORPH.ctl("terminate", "web").ok();
        assertThat(mark).hasContent("stopped");
        Files.delete(mark);
        Files.delete(script);
    }

    @Test
    void namesAreCheckedAndIdsNotUsedAgain() {
        assertThat(instances.spawn("Web").err()).contains("is no instance name");
        assertThat(instances.spawn("web-").status()).isNotZero();
        int first = spawned("web");
        assertThat(instances.spawn("web").err()).contains("is there already");
        KMORPH.ctl("terminate", "web").ok();
        assertThat(spawned("web")).isGreaterThan(first);
        assertThat(KMORPH.ctl("terminate", "nobody").status()).isEqualTo(NO_SUCH_INSTANCE);
    }

    @Test
    void whatWouldHaveNoEffectIsRefused() throws IOException {
        assertThat(instances.spawn("web", "--kernel-cmdline=quiet").err()).contains("boots no kernel");
        assertThat(instances.spawn("web", "--initramfs=/etc/hostname").err()).contains("boots no kernel");
        assertThat(instances.spawn("web", "--cpus=many").err()).contains("--cpus is \"many\"");
        assertThat(instances.spawn("web", "--host=nowhere").err()).contains("there is no host \"nowhere\"");
        assertThat(KMORPH.ctl("spawn", "web", "--kernel=/etc/hostname").err()).contains("neither a bzImage");
        assertThat(KMORPH.ctl("list", "-o", "json").ok().jsonRows()).isEmpty();
    }

    @Test
    void processorsAndMemoryAreBoundedOrItIsSaidThatTheyAreNot() throws IOException {
        int id = spawned("web", "--cpus=0-0", "--memory=64M", "--workload=/bin/sleep", "--workload=1000");
        assertThat(LocalInstances.status(instances.agent(id), "Cpus_allowed_list"))
                .contains("0");
        Object notIsolated = instances.status("web").get("not_isolated");
        List<Path> groups = instances.controlGroups(id);
        if (groups.isEmpty()) {
            assertThat(String.valueOf(notIsolated)).contains("memory: no control group bounds it");
        } else {
            assertThat(groups).anySatisfy(group -> assertThat(Files.readString(
                                    Files.exists(group.resolve("memory.max"))
                                            ? group.resolve("memory.max")
                                            : group.resolve("memory.limit_in_bytes"))
                            .strip())
                    .isEqualTo(Long.toString(64L << 20)));
            KMORPH.ctl("terminate", "web").ok();
            assertThat(groups).allSatisfy(group -> assertThat(group).doesNotExist());
        }
    }

    @Test
    void anInstanceThatIsNotToBeWatchedIsNotAndCanBePinged() {
        int id = spawned("web", "--monitor=false");
        assertThat(instances.status("web")).containsEntry("health", "UNKNOWN").containsEntry("monitor", false);
        assertThat(KMORPH.ctl("heartbeat", "web").err()).contains("not watched");
        KMORPH.ctl("ping", "web", "--count=1").ok();
        LocalInstances.signal("KILL", instances.agent(id));
        instances.awaitHealth("web", "FAILED");
    }

    @Test
    void whatIsNotCertainToBeGoneIsHeldUntilAPersonHasLooked() {
        int id = spawned("web");
        long shim = instances.processes(id).get(0);
        LocalInstances.signal("STOP", shim);
        Result refused = KMORPH.ctl("terminate", "web", "--timeout=2s");
        assertThat(refused.status()).isEqualTo(TIMED_OUT);
        assertThat(refused.err()).contains("\"web\" is HELD, for it is not certain that its kernel runs no more");
        assertThat(instances.status("web")).containsEntry("state", "HELD");
        assertThat(instances.spawn("web").err()).contains("is there already");
        assertThat(KMORPH.ctl("terminate", "web").err()).contains("--force");
        LocalInstances.signal("CONT", shim);
        KMORPH.ctl("terminate", "web", "--force").ok();
        assertThat(instances.processes(id)).isEmpty();
    }

    @Test
    void instancesOutliveTheDaemonAndAreAdopted() {
        int id = spawned("web", "--workload=/bin/sleep", "--workload=1000");
        instances.awaitHealth("web", "HEALTHY");
        List<Long> before = instances.processes(id);
        KMORPH.kill();
        KMORPH.start();
        instances.awaitHealth("web", "HEALTHY");
        assertThat(instances.status("web")).containsEntry("id", id);
        assertThat(instances.processes(id)).isEqualTo(before);

        KMORPH.kill();
        LocalInstances.signal("KILL", instances.agent(id));
        KMORPH.start();
        instances.awaitHealth("web", "FAILED");
        assertThat(String.valueOf(instances.status("web").get("health_reason"))).contains("killed by signal 9");
    }
}
