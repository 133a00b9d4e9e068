// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every bundle of ours is replaced while the daemon works, again and again: no door closes, nothing of the old one stays. */
class HotSwapTest {
    /** A leak of one class loader an update shows in 20 as surely as in 200, which -Dkmorph.updates=200 makes of it. */
    private static final int UPDATES = Integer.getInteger("kmorph.updates", 20);

    private static final Duration LONGEST_SILENCE = Duration.ofMillis(500);
    private static final Duration API_RESTART = Duration.ofSeconds(2);

    /** Who was served by the old version when it was replaced ends by then. */
    private static final Duration RELEASED = Duration.ofSeconds(30);

    private static final String CONTROL = "org.kmorph.control";

    private static int version;
    private static int sshPort;

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    static Stream<String> bundles() {
        return KMORPH.ctl("bundle", "list", "-o", "json").ok().jsonRows().stream()
                .filter(row -> "ours".equalsIgnoreCase(String.valueOf(row.get("origin"))))
                .map(row -> String.valueOf(row.get("symbolic_name")))
                .filter(name -> !name.equals("org.kmorph.native") && !name.equals("org.kmorph.api"))
                .sorted();
    }

    /** A port that stays the same; and what is done for the first time takes longer. */
    @BeforeAll
    static void useEverythingOnce() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            sshPort = free.getLocalPort();
        }
        Path settings = KMORPH.home().resolve("etc/org.kmorph.ssh.cfg");
        Files.writeString(settings, Files.readString(settings).replace("port = 0", "port = " + sshPort));
        KMORPH.ctl("daemon", "reload").ok();
        bundles().forEach(HotSwapTest::update);
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void manyUpdatesLeaveNoClassLoaderAndNoDoorSilent(String bundle) throws Exception {
        assertThat(Rounds.until(LONGEST_SILENCE, () -> longestSilenceDuringUpdates(bundle)))
                .isLessThan(LONGEST_SILENCE);
        awaitOneClassLoader(bundle);
    }

    /** Threads that live on were made by a command, and so by the door that it came in by: that may go. */
    @Test
    void whatACommandStartsHoldsNoClassLoaderOfItsDoor() {
        bundles().filter(bundle -> !bundle.equals(CONTROL)).forEach(HotSwapTest::update);
        update(CONTROL);
        awaitOneClassLoader(CONTROL);
    }

    private static void awaitOneClassLoader(String bundle) {
        Awaitility.await().atMost(RELEASED).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> assertThat(
                        classLoaders(bundle))
                .isEqualTo(1));
    }

    private static Duration longestSilenceDuringUpdates(String bundle) throws InterruptedException {
        try (DoorWatch control = DoorWatch.control(KMORPH);
                DoorWatch ssh = DoorWatch.ssh(sshPort)) {
            for (int number = 1; number <= UPDATES; number++) {
                update(bundle);
            }
            Duration longest = Collections.max(List.of(control.longestSilence(), ssh.longestSilence()));
            System.out.printf("%s: %d updates, longest silence of a door %d ms%n", bundle, UPDATES, longest.toMillis());
            return longest;
        }
    }

    /** What components refer to in a circle is served late or not at all, and what the runtime keeps of that outlives an update. */
    @Test
    void noComponentIsInACircle() {
        assertThat(KMORPH.log()).doesNotContain("Circular reference", "Could not get service");
    }

    /** From the command to all bundles at work again, wired to the new version. */
    @Test
    void anUpdateOfTheApiSaysWhatItRestartsAndIsQuick() throws Exception {
        assertThat(Rounds.until(API_RESTART, HotSwapTest::updateOfTheApi)).isLessThan(API_RESTART);
    }

    /** The door itself is restarted with all else: it lets callers wait, and loses none. */
    @Test
    void whoAsksWhileTheApiIsReplacedIsAnswered() throws InterruptedException {
        try (DoorWatch watch = DoorWatch.control(KMORPH)) {
            for (int number = 0; number < 5; number++) {
                updateOfTheApi();
            }
            assertThat(watch.refusals()).isEmpty();
        }
    }

    private static Duration updateOfTheApi() {
        String next = "0.1.0.u" + ++version;
        Path jar =
                Jars.withVersion(Jars.ours(KMORPH, "api"), next, KMORPH.home().resolve("api-next.jar"));
        List<Object> problems = problems();
        long start = System.nanoTime();
        Result result = KMORPH.ctl("bundle", "update", jar.toString()).ok();
        assertThat(result.err())
                .contains("restarts")
                .contains("org.kmorph.control")
                .contains("org.kmorph.journal");
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> onlyApiIs(next) && problems().equals(problems));
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        System.out.printf("update of api: %d ms until all bundles work again%n", took.toMillis());
        return took;
    }

    private static boolean onlyApiIs(String version) {
        Result list = KMORPH.ctl("bundle", "list", "-o", "json");
        return list.status() == 0
                && list.jsonRows().stream()
                        .filter(row -> row.get("symbolic_name").equals("org.kmorph.api"))
                        .map(row -> row.get("version"))
                        .toList()
                        .equals(List.of(version));
    }

    /** What does not work, and why; while the door is wired anew, that. */
    private static List<Object> problems() {
        Result list = KMORPH.ctl("bundle", "list", "-o", "json");
        return list.status() != 0
                ? List.of(list.err())
                : list.jsonRows().stream()
                        .map(row -> row.get("problem"))
                        .filter(Objects::nonNull)
                        .toList();
    }

    private static void update(String bundle) {
        String artifact = bundle.substring("org.kmorph.".length());
        Path jar = KMORPH.home().resolve(artifact + "-next.jar");
        Jars.withVersion(Jars.ours(KMORPH, artifact), "0.1.0.u" + ++version, jar);
        KMORPH.ctl("bundle", "update", jar.toString()).ok();
    }

    /** Class loaders of one of our bundles that are alive in the daemon after a full collection, as the JDK's own tool tells. */
    private static long classLoaders(String bundle) {
        Set<String> classes = Jars.classes(Jars.ours(KMORPH, bundle.substring("org.kmorph.".length())));
        jcmd("GC.run");
        String loaders = jcmd("VM.classloaders", "show-classes=true", "fold=false");
        return Arrays.stream(loaders.split("Classes:"))
                .filter(loader -> Arrays.stream(loader.split("\\s+")).anyMatch(classes::contains))
                .count();
    }

    private static String jcmd(String... words) {
        List<String> command = new ArrayList<>(List.of("jcmd", Long.toString(KMORPH.pid())));
        command.addAll(List.of(words));
        return Programs.run(Path.of("/"), Map.of(), "", command).ok().out();
    }
}
