// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Local instances whose kernel is replaced while clients write to their workload and check every answer. */
class MorphTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static Kmorph kmorph;

    private final LocalInstances instances = new LocalInstances(kmorph);
    private final int port = freePort();

    /** Clients and workloads share the machine's network here. */
    @BeforeAll
    static void start() {
        kmorph = Kmorph.unpack();
        kmorph.configure("org.kmorph.host-local.cfg", "isolate = false");
        kmorph.configure("org.kmorph.morph.cfg", "provisional.seconds = 1");
        kmorph.start();
    }

    @AfterAll
    static void stop() {
        kmorph.remove();
    }

    @AfterEach
    void nothingIsLeft() {
        for (Map<String, Object> row : kmorph.ctl("list", "-o", "json").ok().jsonRows()) {
            kmorph.ctl("terminate", String.valueOf(row.get("name")), "--force");
        }
        // an old kernel whose time is over may be on its way out by itself
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(instances.allProcesses())
                .isEmpty());
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void spawn() {
        instances
                .spawn(
                        "web",
                        "--workload=" + program("kmorph-kv"),
                        "--workload=--listen=127.0.0.1:" + port,
                        "--workload=--state=16")
                .ok();
        instances.awaitHealth("web", "HEALTHY");
    }

    private static Path program(String name) {
        return kmorph.home().resolve("libexec").resolve(name);
    }

    private static Path kernel() {
        return KernelFile.in(kmorph.home().getParent());
    }

    private Result morph(String... options) {
        List<String> words = new ArrayList<>(List.of("morph", "web", "--kernel=" + kernel()));
        words.addAll(List.of(options));
        return kmorph.ctl(words.toArray(String[]::new));
    }

    /** Writes and checks until its standard input ends; its exit status says whether all was right. */
    private Process client() {
        try {
            return new ProcessBuilder(
                            program("kmorph-kv-client").toString(),
                            "--connect=127.0.0.1:" + port,
                            "--connections=10",
                            "--rate=100")
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void allWasRight(Process client) throws Exception {
        client.getOutputStream().close();
        assertThat(client.waitFor(20, TimeUnit.SECONDS)).isTrue();
        String said = new String(client.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(said).contains("\"wrong\":0", "\"lost\":0", "\"closed\":0").doesNotContain("\"answers\":0,");
        assertThat(client.exitValue()).isZero();
    }

    /** The ids of those that are called so. */
    private List<String> names() {
        return kmorph.ctl("list", "-o", "json").ok().jsonRows().stream()
                .map(row -> String.valueOf(row.get("name")))
                .toList();
    }

    @Test
    void connectionsAndTheirWritesLiveThroughMorphs() throws Exception {
        spawn();
        Process client = client();
        for (int life = 1; life <= 3; life++) {
            int before = (int) instances.status("web").get("id");
            assertThat(morph("--auto-commit").ok().err()).contains("morphed from", "stood still for");
            assertThat((int) instances.status("web").get("id")).isNotEqualTo(before);
        }
        allWasRight(client);
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(names())
                .containsExactly("web"));
    }

    @Test
    void whatIsPreparedIsSeenAndCanBeValidatedCommittedOrRolledBack() throws Exception {
        spawn();
        Process client = client();
        morph().ok();
        assertThat(names()).containsExactly("web", "web-next");
        assertThat(kmorph.ctl("list").ok().out()).contains("MORPH", "prepared");
        assertThat(instances.status("web")).containsEntry("morph", "prepared").containsKeys("morph_to", "morph_since");
        assertThat(instances.status("web-next")).doesNotContainKey("morph");
        assertThat(kmorph.ctl("morph", "status", "web", "-o", "json").ok().json())
                .containsEntry("prepared", true);
        assertThat(kmorph.ctl("morph", "validate", "web").ok().out()).contains("passed memory", "passed sockets");
        kmorph.ctl("morph", "rollback", "web").ok();
        assertThat(names()).containsExactly("web");
        kmorph.ctl("morph", "prepare", "web", "--kernel=" + kernel()).ok();
        kmorph.ctl("morph", "commit", "web").ok();
        Result late = kmorph.ctl("morph", "rollback", "web");
        assertThat(late.status()).isEqualTo(1);
        assertThat(late.err()).contains("is stale", "morph web --kernel=" + kernel() + " --auto-commit");
        allWasRight(client);
    }

    @Test
    void aDryRunLeavesNothing() {
        spawn();
        assertThat(morph("--dry-run").ok().out())
                .contains(
                        "agreed on memory: version 1", "table 16384 KiB", "agreed on sockets:", "agreed on digests by")
                .contains("passed memory", "would succeed");
        assertThat(names()).containsExactly("web");
    }

    @Test
    void stateMovesCompressedWhenThatIsWanted() throws Exception {
        spawn();
        Process client = client();
        assertThat(morph("--dry-run", "--compress").ok().out()).contains("agreed on compression by zstd");
        morph("--auto-commit", "--compress").ok();
        Map<String, Object> status = lastMorph();
        assertThat((List<?>) status.get("agreed")).asString().contains("compression by zstd");
        assertThat(((Number) status.get("bytes")).longValue())
                .isPositive()
                .isLessThan(((Number) status.get("unpacked_bytes")).longValue());
        Result neither = morph("--compress", "--restart");
        assertThat(neither.status()).isEqualTo(2);
        assertThat(neither.err()).contains("--compress does not go with --restart");
        allWasRight(client);
    }

    @Test
    void aWorkloadThatRegisteredNothingIsMovedColdOrNotAtAll() {
        instances.spawn("web", "--workload=sleep", "--workload=1000").ok();
        instances.awaitHealth("web", "HEALTHY");
        Result refused = morph("--auto-commit");
        assertThat(refused.status()).isEqualTo(7);
        assertThat(refused.err()).contains("has registered no state").contains("--restart");
        assertThat(names()).containsExactly("web");
        int before = (int) instances.status("web").get("id");
        morph("--auto-commit", "--restart").ok();
        assertThat((int) instances.status("web").get("id")).isNotEqualTo(before);
    }

    @Test
    void aPreparedMorphWaitsForItsCommitThroughARestartOfTheDaemon() throws Exception {
        spawn();
        Process client = client();
        morph().ok();
        kmorph.kill();
        kmorph.start();
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(
                        kmorph.ctl("morph", "status", "web", "-o", "json").ok().json())
                .containsEntry("prepared", true));
        assertThat(names()).containsExactly("web", "web-next");
        kmorph.ctl("morph", "commit", "web").ok();
        assertThat(kmorph.ctl("morph", "status", "web", "-o", "json")
                        .ok()
                        .json()
                        .get("steps"))
                .asString()
                .contains("old: released", "daemon: noted in the journal", "new: running");
        allWasRight(client);
    }

    @Test
    void whatIsPreparedForTooLongIsRolledBack() throws IOException {
        with("prepared.expires.seconds = 5", () -> {
            spawn();
            morph().ok();
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(names())
                    .containsExactly("web"));
            assertThat(lastMorph()).containsEntry("detail", "it was prepared for too long");
        });
    }

    /** With another configuration of morphs for as long as the story lasts. */
    private static void with(String setting, Runnable story) throws IOException {
        Path file = kmorph.home().resolve("etc/org.kmorph.morph.cfg");
        String before = Files.readString(file);
        String name = setting.substring(0, setting.indexOf(' '));
        String others = before.lines().filter(line -> !line.startsWith(name)).collect(Collectors.joining("\n"));
        Files.writeString(file, others + "\n" + setting + "\n");
        try {
            kmorph.ctl("daemon", "reload").ok();
            story.run();
        } finally {
            Files.writeString(file, before);
            kmorph.ctl("daemon", "reload").ok();
        }
    }

    /** The agent itself would wait for 30 s. */
    @Test
    void aNewKernelThatTakesLongerThanItsPolicySaysIsRolledBack() throws Exception {
        spawn();
        Process client = client();
        kmorph.ctl("policy", "set", "morph-timeout", "web", "1s").ok();
        morph().ok();
        int next = (int) instances.status("web-next").get("id");
        List<Long> waiting = instances.processes(next);
        LocalInstances.signal("STOP", waiting.get(waiting.size() - 1));
        long began = System.nanoTime();
        Result commit = kmorph.ctl("morph", "commit", "web");
        assertThat(commit.status()).isEqualTo(7);
        assertThat(Duration.ofNanos(System.nanoTime() - began))
                .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(15));
        assertThat(names()).containsExactly("web");
        allWasRight(client);
    }

    @Test
    void aProgramOfTheWorkloadForbidsTheCommitUntilItIsSatisfied(@TempDir Path directory) throws Exception {
        Path check =
                Files.writeString(directory.resolve("check"), "#!/bin/sh\nexec test -e '" + directory + "/well'\n");
        Files.setPosixFilePermissions(check, PosixFilePermissions.fromString("rwxr-xr-x"));
        instances
                .spawn(
                        "web",
                        "--workload=" + program("kmorph-kv"),
                        "--workload=--listen=127.0.0.1:" + port,
                        "--workload=--state=1",
                        "--workload=--check=" + check)
                .ok();
        instances.awaitHealth("web", "HEALTHY");
        Process client = client();
        Result refused = morph("--auto-commit");
        assertThat(refused.status()).isEqualTo(7);
        assertThat(refused.err()).contains("check: " + check + " ended with 1");
        Files.createFile(directory.resolve("well"));
        morph("--auto-commit").ok();
        assertThat(kmorph.ctl("morph", "status", "web", "-o", "json").ok().out())
                .contains("passed check: " + check + " ended with 0");
        allWasRight(client);
    }

    @Test
    void aGroupIsMorphedUntilOneFails() {
        for (String name : List.of("front-a", "front-b")) {
            instances
                    .spawn(
                            name,
                            "--label=front",
                            "--workload=" + program("kmorph-kv"),
                            "--workload=--listen=127.0.0.1:" + freePort(),
                            "--workload=--state=1")
                    .ok();
            instances.awaitHealth(name, "HEALTHY");
        }
        assertThat(group("--max-unavailable=2").ok().out())
                .contains("front-a: instance", "front-b: instance", "stood still for");
        instances
                .spawn("front-aa", "--label=front", "--workload=sleep", "--workload=1000")
                .ok();
        instances.awaitHealth("front-aa", "HEALTHY");
        int before = (int) instances.status("front-b").get("id");
        Result second = group();
        assertThat(second.status()).isEqualTo(7);
        assertThat(second.out()).contains("front-a: instance", "front-aa: the morph", "front-b: not begun");
        assertThat(second.err()).contains("has registered no state");
        assertThat((int) instances.status("front-b").get("id")).isEqualTo(before);
    }

    private static Result group(String... options) {
        List<String> words = new ArrayList<>(List.of("morph", "--group=front", "--kernel=" + kernel()));
        words.addAll(List.of(options));
        return kmorph.ctl(words.toArray(String[]::new));
    }

    @Test
    void aNewKernelThatDiesLeavesTheOldOneRunning() throws Exception {
        spawn();
        Process client = client();
        morph().ok();
        int next = (int) instances.status("web-next").get("id");
        LocalInstances.signal("KILL", instances.agent(next));
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(names())
                .containsExactly("web"));
        allWasRight(client);
    }

    /** A workload whose first successor that finds the file stumbles over it before it has begun. */
    private Path spawnThatStumbles(Path directory, String... options) {
        Path stumble = directory.resolve("stumble");
        List<String> words = new ArrayList<>(List.of(
                "--workload=" + program("kmorph-kv"),
                "--workload=--listen=127.0.0.1:" + port,
                "--workload=--state=16",
                "--workload=--stumble=" + stumble));
        words.addAll(List.of(options));
        instances.spawn("web", words.toArray(String[]::new)).ok();
        instances.awaitHealth("web", "HEALTHY");
        return stumble;
    }

    private static Map<String, Object> lastMorph() {
        return kmorph.ctl("morph", "status", "web", "-o", "json").ok().json();
    }

    @Test
    void aWorkloadThatDoesNotBeginOnTheNewKernelGoesOnOnTheKeptOldOne(@TempDir Path directory) throws Exception {
        Files.createFile(spawnThatStumbles(directory));
        int before = (int) instances.status("web").get("id");
        Process client = client();
        Result sick = morph("--auto-commit");
        assertThat(sick.status()).isEqualTo(7);
        assertThat(sick.err()).contains("was rolled back", "ended with status 1 on the new kernel before it had begun");
        assertThat((int) instances.status("web").get("id")).isEqualTo(before);
        assertThat(names()).containsExactly("web");
        assertThat(lastMorph()).containsEntry("outcome", "rolled back");
        assertThat(kmorph.ctl("morph", "status", "web").ok().out()).contains("rolled back", "before it had begun");
        morph("--auto-commit").ok();
        assertThat((int) instances.status("web").get("id")).isNotEqualTo(before);
        allWasRight(client);
    }

    /** Commits to a new kernel on which the workload never begins. */
    private CompletableFuture<Result> commitThatHangs() {
        morph().ok();
        CompletableFuture<Result> commit = CompletableFuture.supplyAsync(() -> kmorph.ctl("morph", "commit", "web"));
        Awaitility.await().atMost(PATIENCE).until(() -> names().contains("web-old"));
        return commit;
    }

    private void spawnThatHangs(Path directory) throws IOException, InterruptedException {
        Path pipe = spawnThatStumbles(directory);
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
    }

    @Test
    void aPersonTakesItBackAsLongAsItHasNotBegunOnTheNewKernel(@TempDir Path directory) throws Exception {
        spawnThatHangs(directory);
        int before = (int) instances.status("web").get("id");
        Process client = client();
        CompletableFuture<Result> commit = commitThatHangs();
        kmorph.ctl("morph", "rollback", "web").ok();
        assertThat(commit.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).status()).isEqualTo(7);
        assertThat((int) instances.status("web").get("id")).isEqualTo(before);
        assertThat(names()).containsExactly("web");
        allWasRight(client);
    }

    @Test
    void aDaemonKilledOnTheWayBackIsFollowedByOneThatGoesOnWithIt(@TempDir Path directory) throws Exception {
        spawnThatHangs(directory);
        int before = (int) instances.status("web").get("id");
        Process client = client();
        CompletableFuture<Result> commit = commitThatHangs();
        kmorph.kill();
        commit.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        kmorph.start();
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(names()).containsExactly("web");
            assertThat(lastMorph()).containsEntry("outcome", "rolled back");
        });
        assertThat((int) instances.status("web").get("id")).isEqualTo(before);
        allWasRight(client);
    }

    @Test
    void aWorkloadThatHasBegunIsNotTakenBackAndItIsSaidWhy() throws Exception {
        with("provisional.seconds = 600", this::endOnTheNewKernel);
    }

    private void endOnTheNewKernel() {
        spawn();
        morph("--auto-commit").ok();
        int id = (int) instances.status("web").get("id");
        List<Long> running = instances.processes(id);
        LocalInstances.signal("SEGV", running.get(running.size() - 1));
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(lastMorph())
                .containsEntry("outcome", "committed")
                .extractingByKey("detail")
                .asString()
                .contains("not rolled back", "signal 11 after it had begun there and may have answered clients"));
        assertThat((int) instances.status("web").get("id")).isEqualTo(id);
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(names())
                .containsExactly("web"));
    }
}
