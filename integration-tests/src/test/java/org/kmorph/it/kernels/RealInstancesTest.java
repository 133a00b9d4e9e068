// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.it.KernelFile;
import org.kmorph.it.Kmorph;
import org.kmorph.it.LocalInstances;
import org.kmorph.it.Result;
import org.kmorph.it.Rounds;

/**
 * Instances that are real kernels: Debian's 6.1 and 6.12 on machines of QEMU, with kerf-vsock.ko. They need what {@code ./kmorph kernels}
 * fetches, and fail without it. Two machines run at a time.
 */
class RealInstancesTest {
    /** Under emulation, on a machine that has other things to do, a kernel takes its time. */
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private static final Duration PANIC_SEEN = Duration.ofMillis(100);

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    @TempDir
    static Path directory;

    private static Path initramfs;

    private final LocalInstances instances = new LocalInstances(KMORPH);
    private int panics;

    @BeforeAll
    static void prepare() throws Exception {
        initramfs = Trouble.initramfs(directory, DebianKernels.of("6.12"));
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
    }

    @AfterEach
    void nothingIsLeft() {
        for (Map<String, Object> row : KMORPH.ctl("list", "-o", "json").ok().jsonRows()) {
            KMORPH.ctl("terminate", String.valueOf(row.get("name")), "--force").ok();
        }
        assertThat(instances.allProcesses()).isEmpty();
        assertThat(instances.directories()).isEmpty();
    }

    private Result spawn(String name, String series, String... options) {
        List<String> words = new ArrayList<>(
                List.of("spawn", name, "--host=qemu", "--kernel=" + DebianKernels.file(series, "vmlinuz")));
        if (Arrays.stream(options).noneMatch(option -> option.startsWith("--memory="))) {
            words.add("--memory=128M");
        }
        words.add("--heartbeat-timeout=3s");
        words.addAll(Arrays.asList(options));
        return KMORPH.ctl(words.toArray(String[]::new));
    }

    private Result spawnTrouble(String name, String series, String what, int afterSeconds) {
        return spawn(
                name,
                series,
                "--initramfs=" + initramfs,
                "--workload=/trouble",
                "--workload=" + what,
                "--workload=" + afterSeconds);
    }

    private void awaitHealth(String name, String health) {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(100)).untilAsserted(() -> assertThat(
                        instances.status(name))
                .containsEntry("health", health));
    }

    /** A ratio, 0 to 1. */
    private double cpu(String name) {
        Map<String, Object> metric = KMORPH.ctl("health", name, "--metrics=cpu", "-o", "json")
                .ok()
                .jsonRows()
                .get(0);
        return metric.get("last") instanceof Number last ? last.doubleValue() : 0;
    }

    @Test
    void twoReleasesRunSideBySideOutliveTheDaemonAndOnesPanicIsSeenAsItHappens() throws Exception {
        spawnTrouble("older", "6.1", "load", 1).ok();
        spawnTrouble("newer", "6.12", "panic", 45).ok();
        awaitHealth("older", "HEALTHY");
        awaitHealth("newer", "HEALTHY");
        assertThat(KMORPH.ctl("list", "-o", "json").ok().jsonRows())
                .extracting(row -> row.get("kernel_release"))
                .containsExactlyInAnyOrder(DebianKernels.release("6.1"), DebianKernels.release("6.12"));
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(cpu("older"))
                .isGreaterThan(0.5));
        // its boot is in its first figure
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(cpu("newer"))
                .isLessThan(0.5));

        KMORPH.kill();
        KMORPH.start();
        awaitHealth("older", "HEALTHY");

        awaitHealth("newer", "FAILED");
        assertThat(String.valueOf(instances.status("newer").get("health_reason")))
                .contains("its kernel panicked")
                .contains("sysrq triggered crash");
        assertThat(KMORPH.log()).contains("Kernel panic - not syncing: sysrq triggered crash");
        awaitHealth("older", "HEALTHY");
        memoryIsThatOfTheDeadKernel((int) instances.status("newer").get("id"));
        assertThat(Rounds.until(PANIC_SEEN, this::panicSeenAfter)).isLessThan(PANIC_SEEN);
    }

    /** A panic of "newer", which is the one that it died of the first time. */
    private Duration panicSeenAfter() {
        if (panics++ > 0) {
            KMORPH.ctl("terminate", "newer", "--force").ok();
            spawnTrouble("newer", "6.12", "panic", 1).ok();
            awaitHealth("newer", "FAILED");
        }
        Duration seen = lastPanicSeenAfter("newer");
        System.out.printf("a panic was told %d ms after QEMU's own time of it%n", seen.toMillis());
        return seen;
    }

    /** The time between when QEMU had the panic from pvpanic, which is in what is told, and the daemon's line that tells it. */
    private static Duration lastPanicSeenAfter(String name) {
        MatchResult told = Pattern.compile(
                        "^(\\S+) .*\"" + name + "\" .*its kernel panicked at ([^;]+);", Pattern.MULTILINE)
                .matcher(KMORPH.log())
                .results()
                .reduce((earlier, later) -> later)
                .orElseThrow(() -> new AssertionError("no line tells the panic"));
        return Duration.between(
                Instant.parse(told.group(2)),
                OffsetDateTime.parse(told.group(1)).toInstant());
    }

    private void memoryIsThatOfTheDeadKernel(int id) throws IOException {
        byte[] memory = new byte[128 << 20];
        try (RandomAccessFile file =
                new RandomAccessFile(instances.directory(id).resolve("memory").toFile(), "r")) {
            file.readFully(memory);
        }
        assertThat(new String(memory, java.nio.charset.StandardCharsets.ISO_8859_1))
                .contains("OSRELEASE=" + DebianKernels.release("6.12"));
    }

    private Path console(String name) {
        return instances.directory((int) instances.status(name).get("id")).resolve("console.log");
    }

    @Test
    void killedAgentOfALiveKernelAndAStoppedMachineAreToldApart() throws IOException {
        spawnTrouble("agentless", "6.12", "kill", 20).ok();
        awaitHealth("agentless", "HEALTHY");
        // which it is for as long as its supervisor pauses: 2 s of the kernel's time
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(KMORPH.log())
                .containsPattern("\"agentless\" was \\w+ and is AGENT_DEAD: .*; its kernel answers"));
        // another agent takes up the workload
        awaitHealth("agentless", "HEALTHY");
        assertThat(KMORPH.ctl("heartbeat", "agentless", "-o", "json").ok().json())
                .containsEntry("workload_state", "running");
        assertThat(Files.readString(console("agentless"))).contains("its workload goes on");
        List<Long> processes =
                instances.processes((int) instances.status("agentless").get("id"));
        long machine = processes.get(1);
        LocalInstances.signal("STOP", machine);
        awaitHealth("agentless", "FAILED");
        // its QEMU answers nobody: the shim ends it
        KMORPH.ctl("terminate", "agentless", "--force").ok();
        assertThat(ProcessHandle.of(machine)).isEmpty();
    }

    @Test
    void kernelThatHangsWithInterruptsOffIsFoundByItsSilenceAndNotByAPanic() throws Exception {
        spawnTrouble("web", "6.12", "hang", 15).ok();
        awaitHealth("web", "HEALTHY");
        FutureTask<Result> follower = new FutureTask<>(() -> KMORPH.ctl("console", "web", "--follow"));
        new Thread(follower).start();
        Path console = console("web");
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> assertThat(
                        Files.readString(console))
                .contains("this processor hangs from here on"));
        long hung = System.nanoTime();
        awaitHealth("web", "FAILED");
        System.out.printf("a hang was found %.1f s after it began%n", (System.nanoTime() - hung) / 1e9);
        assertThat(String.valueOf(instances.status("web").get("health_reason"))).doesNotContain("panic");
        assertThat(KMORPH.ctl("heartbeat", "web", "-o", "json").ok().json()).containsEntry("kernel_answers", false);
        assertThat(Files.readString(console)).doesNotContain("Kernel panic");
        // its processor still spins: QEMU tells in whose behalf
        Path core = directory.resolve("hung.kdump");
        KMORPH.ctl("vmcore", "capture", "web", "--output=" + core).ok();
        assertThat(KMORPH.ctl("vmcore", "analyze", core.toString(), "--section=backtraces")
                        .ok()
                        .out())
                .contains("(trouble), from registers");
        assertThat(KMORPH.ctl("console", "web").ok().out()).contains("this processor hangs from here on");
        KMORPH.ctl("terminate", "web", "--force").ok();
        assertThat(follower.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).ok().out())
                .contains("this processor hangs from here on");
    }

    @Test
    void whatCannotBootIsRefusedWithTheWayOutAndLeavesNothing() throws IOException {
        assertThat(KMORPH.ctl("spawn", "web", "--host=qemu", "--kernel=" + KernelFile.in(directory))
                        .err())
                .contains("has no module kerf_vsock", "./kmorph kernels", "dkms");
        assertThat(spawn("web", "6.12", "--memory=64M").err()).contains("at least 128 MiB");
        assertThat(spawn("web", "6.12", "--memory=4096G").err()).contains("available");
        assertThat(spawn("web", "6.12", "--initramfs=/nowhere").err()).contains("/nowhere");
        Path broken = brokenImage();
        assertThat(KMORPH.ctl("spawn", "web", "--host=qemu", "--memory=128M", "--kernel=" + broken)
                        .err())
                .contains("cannot be unpacked");
        Path text = Files.writeString(directory.resolve("text"), "no archive");
        assertThat(spawn("web", "6.12", "--initramfs=" + text).err()).contains("is no initramfs", "cpio -o -H newc");
        Path settings = KMORPH.home().resolve("etc/org.kmorph.host-qemu.cfg");
        String before = Files.readString(settings);
        Files.writeString(settings, before + "\nqemu = qemu-system-none\n");
        KMORPH.ctl("daemon", "reload").ok();
        assertThat(spawn("web", "6.12").err()).contains("qemu-system-none", "apt-get install qemu-system-x86");
        Files.writeString(settings, before);
        KMORPH.ctl("daemon", "reload").ok();
        assertThat(KMORPH.ctl("list", "-o", "json").ok().jsonRows()).isEmpty();
        assertThat(instances.directories()).isEmpty();
        // and now it can
        spawn("web", "6.12").ok();
    }

    /** A kernel whose first megabytes are right. */
    private static Path brokenImage() throws IOException {
        byte[] image = Files.readAllBytes(DebianKernels.file("6.12", "vmlinuz"));
        Arrays.fill(image, 4 << 20, 5 << 20, (byte) 0x5a);
        return Files.write(directory.resolve("broken"), image);
    }
}
