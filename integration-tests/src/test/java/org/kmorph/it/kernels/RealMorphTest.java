// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.it.Kmorph;
import org.kmorph.it.LocalInstances;
import org.kmorph.it.Result;

/**
 * A workload with state and connections goes from Debian's 6.1 to its 6.12 and back, each on a machine of QEMU, while a client in a third
 * kernel writes and checks every answer, and asks who has the workload's address.
 */
class RealMorphTest {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String SERVER = "10.77.0.1";

    /** Made of the address, by the host. */
    private static final String CARD = "52:54:0a:4d:00:01";

    private static final Kmorph KMORPH = Kmorph.unpack();
    private static final LocalInstances INSTANCES = new LocalInstances(KMORPH);

    @TempDir
    static Path directory;

    /** What the next kernel of the server boots with. */
    private static Path serverFiles;

    @BeforeAll
    static void start() throws IOException {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        KMORPH.configure(
                "org.kmorph.host-qemu.cfg",
                "network = 239.192." + random.nextInt(256) + "." + random.nextInt(256) + ":"
                        + random.nextInt(10000, 60000));
        // the old kernel is there for as long as the test looks for who has the address
        KMORPH.configure("org.kmorph.morph.cfg", "provisional.seconds = 600");
        KMORPH.start();
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
        serverFiles = directory.resolve("server.cpio");
        serverBootsWith(Map.of());
        spawn(
                "server",
                "6.1",
                SERVER,
                serverFiles,
                "/kmorph-kv",
                "--listen=" + SERVER + ":7000",
                "--state=8",
                "--stumble=/sick");
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(INSTANCES.status("server"))
                .containsEntry("health", "HEALTHY"));
        spawnClient();
    }

    @AfterAll
    static void stop() {
        for (Map<String, Object> row : KMORPH.ctl("list", "-o", "json").ok().jsonRows()) {
            KMORPH.ctl("terminate", String.valueOf(row.get("name")), "--force");
        }
        KMORPH.remove();
    }

    private static void serverBootsWith(Map<String, Path> more) throws IOException {
        Map<String, Path> files = new TreeMap<>(more);
        files.put("kmorph-kv", KMORPH.home().resolve("libexec/kmorph-kv"));
        GuestFiles.in(serverFiles, files);
    }

    private static void spawnClient() throws IOException {
        Path script = Files.writeString(
                directory.resolve("client"),
                """
                #!/busybox sh
                while :; do /busybox arping -c 1 %1$s; done &
                exec /kmorph-kv-client --connect=%1$s:7000 --connections=4 --rate=20 --every=1 --seconds=100000
                """
                        .formatted(SERVER));
        Path files = GuestFiles.in(
                directory.resolve("client.cpio"),
                Map.of(
                        "client", script,
                        "busybox", DebianKernels.of("busybox"),
                        "kmorph-kv-client", KMORPH.home().resolve("libexec/kmorph-kv-client")));
        spawn("client", "6.12", "10.77.0.2", files, "/client");
        clientIsServedByOne();
    }

    private static void spawn(String name, String series, String address, Path files, String... workload) {
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

    private static Result morph(String series) {
        return KMORPH.ctl("morph", "server", "--kernel=" + DebianKernels.file(series, "vmlinuz"), "--auto-commit");
    }

    private static void runsOn(String series) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(INSTANCES.status("server"))
                .containsEntry("kernel_release", DebianKernels.release(series))
                .containsEntry("kernel_release_from", "the running kernel"));
    }

    private static List<String> client(String beginning) {
        return KMORPH.ctl("console", "client")
                .ok()
                .out()
                .lines()
                .filter(line -> line.startsWith(beginning))
                .toList();
    }

    /** From now on: of every second there is a line of each kind, and the next may be of one that has begun already. */
    private static void clientIsServedByOne() {
        int answers = client("{\"answers\":").size() + 2;
        int probes = client("Received ").size() + 2;
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(client("{\"answers\":"))
                    .hasSizeGreaterThanOrEqualTo(answers)
                    .last()
                    .asString()
                    .doesNotContain("\"answers\":0,");
            // two kernels that have the address both answer; the client's own kernel may have asked once besides
            List<String> received = client("Received ");
            assertThat(received).hasSizeGreaterThanOrEqualTo(probes);
            assertThat(received.subList(received.size() - 2, received.size()))
                    .allMatch(line -> line.startsWith("Received 1 "));
        });
        assertThat(client("{\"answers\":")).allMatch(line -> line.contains("\"wrong\":0,\"lost\":0,\"closed\":0"));
        assertThat(client("Unicast reply")).allMatch(line -> line.contains("from " + SERVER + " [" + CARD + "]"));
    }

    @Test
    void connectionsLiveThroughAMorphToANewerKernelAndBack() {
        morph("6.12").ok();
        runsOn("6.12");
        clientIsServedByOne();
        morph("6.1").ok();
        runsOn("6.1");
        clientIsServedByOne();
    }

    @Test
    void aWorkloadThatDoesNotBeginOnTheNewerKernelGoesOnOnTheOldOneWithItsConnectionsAndItsAddress()
            throws IOException {
        Object before = INSTANCES.status("server").get("id");
        serverBootsWith(Map.of("sick", Path.of("/dev/null")));
        Result sick = morph("6.12");
        serverBootsWith(Map.of());
        assertThat(sick.status()).isEqualTo(7);
        assertThat(sick.err()).contains("was rolled back", "ended with status 1 on the new kernel before it had begun");
        assertThat(INSTANCES.status("server")).containsEntry("id", before);
        runsOn("6.1");
        clientIsServedByOne();
    }
}
