// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
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

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    static Stream<String> bundles() {
        return KMORPH.ctl("bundle", "list", "-o", "json").ok().jsonRows().stream()
                .filter(row -> "ours".equalsIgnoreCase(String.valueOf(row.get("origin"))))
                .map(row -> String.valueOf(row.get("symbolic_name")))
                .filter(name -> !name.equals("org.kmorph.native") && !name.equals("org.kmorph.api"))
                .sorted();
    }

    /** What is done for the first time takes longer. */
    @BeforeAll
    static void useEverythingOnce() {
        bundles().forEach(bundle -> update(bundle, 0));
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void manyUpdatesLeaveNoClassLoaderAndNoDoorSilent(String bundle) throws Exception {
        Duration longest;
        try (DoorWatch watch = DoorWatch.over(KMORPH)) {
            for (int number = 1; number <= UPDATES; number++) {
                update(bundle, number);
            }
            longest = watch.longestSilence();
        }
        System.out.printf("%s: %d updates, longest silence of the door %d ms%n", bundle, UPDATES, longest.toMillis());
        assertThat(longest).isLessThan(LONGEST_SILENCE);
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(classLoaders(bundle)).isEqualTo(1));
    }

    /** What components refer to in a circle is served late or not at all, and what the runtime keeps of that outlives an update. */
    @Test
    void noComponentIsInACircle() {
        assertThat(KMORPH.log()).doesNotContain("Circular reference", "Could not get service");
    }

    /** From the command to all bundles at work again, wired to the new version. */
    @Test
    void anUpdateOfTheApiSaysWhatItRestartsAndIsQuick() {
        Path jar = Jars.withVersion(
                Jars.ours(KMORPH, "api"), "0.1.0.u1", KMORPH.home().resolve("api-u1.jar"));
        List<Object> problems = problems();
        long start = System.nanoTime();
        Result result = KMORPH.ctl("bundle", "update", jar.toString()).ok();
        assertThat(result.err())
                .contains("restarts")
                .contains("org.kmorph.control")
                .contains("org.kmorph.journal");
        Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> onlyTheNewApiIsThere() && problems().equals(problems));
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        System.out.printf("update of api: %d ms until all bundles work again%n", took.toMillis());
        assertThat(took).isLessThan(Duration.ofSeconds(2));
    }

    private static boolean onlyTheNewApiIsThere() {
        Result list = KMORPH.ctl("bundle", "list", "-o", "json");
        return list.status() == 0
                && list.jsonRows().stream()
                        .filter(row -> row.get("symbolic_name").equals("org.kmorph.api"))
                        .map(row -> row.get("version"))
                        .toList()
                        .equals(List.of("0.1.0.u1"));
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

    private static void update(String bundle, int number) {
        String artifact = bundle.substring("org.kmorph.".length());
        Path jar = KMORPH.home().resolve(artifact + "-next.jar");
        Jars.withVersion(Jars.ours(KMORPH, artifact), "0.1.0.u" + number, jar);
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
