// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.it.Kmorph;
import org.kmorph.it.LocalInstances;

/**
 * A workload with state and connections goes from Debian's 6.1 to its 6.12 and back, each on a machine of QEMU, while a client in a third
 * kernel writes and checks every answer.
 */
class RealMorphTest {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String SERVER = "10.77.0.1";

    private static final Kmorph KMORPH = Kmorph.unpack();

    @TempDir
    static Path directory;

    private final LocalInstances instances = new LocalInstances(KMORPH);

    @BeforeAll
    static void start() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        KMORPH.configure(
                "org.kmorph.host-qemu.cfg",
                "network = 239.192." + random.nextInt(256) + "." + random.nextInt(256) + ":"
                        + random.nextInt(10000, 60000));
        KMORPH.start();
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
    }

    @AfterAll
    static void stop() {
        for (Map<String, Object> row : KMORPH.ctl("list", "-o", "json").ok().jsonRows()) {
            KMORPH.ctl("terminate", String.valueOf(row.get("name")), "--force");
        }
        KMORPH.remove();
    }

    private void spawn(String name, String series, String address, Path files, String... workload) {
        List<String> words = new ArrayList<>(List.of(
                "spawn",
                name,
                "--host=qemu",
                "--kernel=" + DebianKernels.file(series, "vmlinuz"),
                "--memory=160M",
                "--heartbeat-timeout=20s",
                "--address=" + address + "/24",
                "--initramfs=" + files));
        Arrays.stream(workload).forEach(word -> words.add("--workload=" + word));
        KMORPH.ctl(words.toArray(String[]::new)).ok();
    }

    private void morph(String series) throws Exception {
        KMORPH.ctl("morph", "server", "--kernel=" + DebianKernels.file(series, "vmlinuz"), "--auto-commit")
                .ok();
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(instances.status("server"))
                .containsEntry("kernel_release", DebianKernels.release(series))
                .containsEntry("kernel_release_from", "the running kernel"));
    }

    @Test
    void connectionsLiveThroughAMorphToANewerKernelAndBack() throws Exception {
        Path libexec = KMORPH.home().resolve("libexec");
        Path files = GuestFiles.in(
                directory.resolve("kv.cpio"),
                Map.of(
                        "kmorph-kv", libexec.resolve("kmorph-kv"),
                        "kmorph-kv-client", libexec.resolve("kmorph-kv-client")));
        spawn("server", "6.1", SERVER, files, "/kmorph-kv", "--listen=" + SERVER + ":7000", "--state=8");
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(instances.status("server"))
                .containsEntry("health", "HEALTHY"));
        spawn(
                "client",
                "6.12",
                "10.77.0.2",
                files,
                "/kmorph-kv-client",
                "--connect=" + SERVER + ":7000",
                "--connections=4",
                "--rate=20",
                "--seconds=35");
        morph("6.12");
        morph("6.1");
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                        KMORPH.ctl("console", "client").ok().out())
                .contains("{\"answers\":"));
        assertThat(KMORPH.ctl("console", "client").ok().out())
                .contains("\"wrong\":0,\"lost\":0,\"closed\":0")
                .doesNotContain("\"answers\":0,");
    }
}
