// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.command.ExitCode;
import org.kmorph.it.Kmorph;
import org.kmorph.it.LocalInstances;
import org.kmorph.it.Result;

/** A real kernel's memory, read by instances that survive it. Needs what {@code ./kmorph kernels} fetches. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class VmcoreSurvivorsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String SETTINGS = "org.kmorph.vmcore.cfg";

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    @TempDir
    static Path directory;

    private static final LocalInstances LOCAL = new LocalInstances(KMORPH);
    private static DeadGuest guest;

    @BeforeAll
    static void aKernelPanics() throws Exception {
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
        guest = new DeadGuest(KMORPH, "6.12", "128M", 1, "panic", directory);
        guest.spawn(Trouble.initramfs(directory, DebianKernels.of("6.12")));
        guest.awaitPanic();
        // what the daemon reads itself, to compare with
        guest.capture("by-daemon", "--format=elf", "--level=0");
    }

    @AfterAll
    static void end() {
        List.of(guest.name(), "web", "db").forEach(name -> KMORPH.ctl("terminate", name, "--force"));
    }

    private static int id(String name) {
        return (int) LOCAL.status(name).get("id");
    }

    private static Result capture(String suffix, String... options) {
        List<String> words = Stream.concat(
                        Stream.of(
                                "vmcore", "capture", guest.name(), "--by=survivors", "--output=" + guest.file(suffix)),
                        Stream.of(options))
                .toList();
        return KMORPH.ctl(words.toArray(String[]::new));
    }

    private static void assertSameAsByTheDaemon(String suffix) throws IOException {
        assertThat(Files.mismatch(guest.file(suffix), guest.file("by-daemon")))
                .as("the first byte that differs, of %d", Files.size(guest.file("by-daemon")))
                .isEqualTo(-1);
    }

    @Test
    @Order(1)
    void withoutOneThatCanReadItThatIsSaid() {
        Result refused = capture("nobody");
        assertThat(refused.status()).isEqualTo(ExitCode.FAILED.status());
        assertThat(refused.err()).contains("no other instance can read it", "host local", "--by=daemon");
        assertThat(guest.file("nobody")).doesNotExist();
    }

    @Test
    @Order(2)
    void twoSurvivorsReadWhatTheDaemonReads() throws IOException {
        LOCAL.spawn("web").ok();
        LOCAL.spawn("db").ok();
        Result done = capture("by-two", "--format=elf", "--level=0").ok();
        assertThat(done.err())
                .containsPattern("web read [0-9]+ bytes")
                .containsPattern("db read [0-9]+ bytes")
                .doesNotContain("reads no more", "the daemon read");
        assertSameAsByTheDaemon("by-two");
        assertNothingIsLeftGathered();
    }

    @Test
    @Order(3)
    void aStreamOfItIsTheSame() {
        Path flat = guest.file("flat");
        guest.run(
                        "",
                        "sh",
                        "-c",
                        "'" + KMORPH.home().resolve("bin/kmorphctl") + "' vmcore capture " + guest.name()
                                + " --by=survivors --output=- >'" + flat + "'")
                .ok();
        assertThat(guest.analyze(flat)).containsEntry("reason", "sysrq triggered crash");
        assertNothingIsLeftGathered();
    }

    @Test
    @Order(3)
    void aSmallFileTellsTheSame() {
        capture("small.kdump").ok();
        assertThat(guest.analyze(guest.file("small.kdump")))
                .containsEntry("reason", "sysrq triggered crash")
                .containsEntry("not_known", List.of())
                .containsEntry(
                        "signature", guest.analyze(guest.file("by-daemon")).get("signature"));
    }

    /** A capture of which a part has come; one that was over before that was begun before the setting came to count. */
    private static CompletableFuture<Result> inTheMiddle(String suffix) {
        AtomicReference<CompletableFuture<Result>> capture = new AtomicReference<>();
        Awaitility.await().atMost(PATIENCE).until(() -> {
            capture.set(CompletableFuture.supplyAsync(() -> capture(suffix, "--format=elf", "--level=0")));
            Awaitility.await()
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> capture.get().isDone() || bytesGathered() > 4 << 20);
            return !capture.get().isDone();
        });
        return capture.get();
    }

    /** They read slowly, so that there is a middle to be killed in. */
    @Test
    @Order(4)
    void oneThatIsKilledInTheMiddleCostsTimeAlone() throws Exception {
        // the second is for the last test: when the first counts, so does it
        KMORPH.configure(SETTINGS, "survivor.bytes.per.second = 8388608\nby = survivors");
        KMORPH.ctl("daemon", "reload").ok();
        CompletableFuture<Result> capture = inTheMiddle("by-one-in-the-end");
        LocalInstances.signal("KILL", LOCAL.agent(id("db")));
        Result done = capture.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).ok();
        assertThat(done.err())
                .contains("db reads no more of the memory")
                .containsPattern("web read [0-9]+ bytes")
                .doesNotContain("the daemon read", "web reads no more");
        assertSameAsByTheDaemon("by-one-in-the-end");
        assertNothingIsLeftGathered();
    }

    @Test
    @Order(5)
    void whenTheLastIsKilledTheDaemonReadsTheRest() throws Exception {
        CompletableFuture<Result> capture = inTheMiddle("by-the-daemon-in-the-end");
        LocalInstances.signal("KILL", LOCAL.agent(id("web")));
        assertThat(capture.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).ok().err())
                .contains("web reads no more of the memory")
                .containsPattern("web read [0-9]+ bytes")
                .containsPattern("the daemon read [0-9]+ bytes");
        assertSameAsByTheDaemon("by-the-daemon-in-the-end");
        assertNothingIsLeftGathered();
    }

    /** The last: it takes the guest away. */
    @Test
    @Order(6)
    void anAutomaticCaptureIsReadBySurvivorsWhereThatIsSetAndToldToWhoListens() throws IOException {
        Path told = directory.resolve("told");
        hook("cat >>'" + told + "'; echo >>'" + told + "'");
        LOCAL.spawn("cache").ok();
        try {
            KMORPH.ctl("policy", "set", "heal-action", guest.name(), "stop").ok();
            KMORPH.ctl("recover", guest.name()).ok();
            Map<String, Object> kept =
                    KMORPH.ctl("vmcore", "list", "-o", "json").ok().jsonRows().get(0);
            assertThat(kept)
                    .containsEntry(
                            "signature", guest.analyze(guest.file("by-daemon")).get("signature"));
            assertThat(KMORPH.log()).containsPattern("cache read [0-9]+ bytes of the memory");
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(Files.readAllLines(told))
                    .filteredOn(line -> line.contains("\"RECLAIMING_RESOURCES\""))
                    .first(InstanceOfAssertFactories.STRING)
                    .contains(
                            "\"crash_signature\":\"" + kept.get("signature") + "\"",
                            "\"vmcore\":\"" + kept.get("path") + "\"",
                            "\"vmcore_verdict\":\"")
                    .contains("panicked in sysrq_handle_crash"));
        } finally {
            KMORPH.ctl("terminate", "cache", "--force");
        }
    }

    /** A program that is told of every event. */
    private static void hook(String body) throws IOException {
        Path hooks = Files.createDirectories(KMORPH.home().resolve("etc/hooks.d"));
        Path hook = Files.writeString(hooks.resolve("10-tell"), "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(hook, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Optional<Path> gathered() {
        try (Stream<Path> files = Files.list(LOCAL.directory(id(guest.name())))) {
            return files.filter(file -> file.getFileName().toString().startsWith("gathered-"))
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What of it takes room. */
    private static long bytesGathered() {
        Optional<Path> file = gathered();
        String blocks = file.isEmpty()
                ? ""
                : guest.run("", "stat", "-c", "%b", file.get().toString()).out().strip();
        return blocks.isEmpty() ? 0 : 512 * Long.parseLong(blocks);
    }

    private static void assertNothingIsLeftGathered() {
        assertThat(gathered()).isEmpty();
    }
}
