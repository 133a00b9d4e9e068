// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kmorph.it.Kmorph;
import org.kmorph.it.LocalInstances;
import org.kmorph.it.Rounds;

/**
 * Kernels of other sizes that died in other ways, captured by us and read by Debian's own tools. One of them, if not told otherwise;
 * {@code -Dkmorph.vmcore.guests=all} has all. Needs what {@link VmcoreTest} needs, and fails without.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VmcoreGuestsTest {
    private static final List<Integer> LEVELS = List.of(1, 2, 8, 16, 17, 30, 31);
    private static final Duration ANALYZED = Duration.ofSeconds(3);

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    @TempDir
    Path directory;

    private Path archives;

    @BeforeAll
    void nobodyHeals(@TempDir Path archives) {
        this.archives = archives;
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
    }

    /** A guest, and how it is known what has become of it. */
    private record Case(String series, String memory, int cpus, String trouble, String reason, String kind) {}

    static Stream<Case> cases() {
        Stream<Case> always = Stream.of(new Case("6.1", "1G", 4, "oops", "its kernel panicked", "OOPS"));
        Stream<Case> more = Stream.of(
                new Case("6.12", "5G", 4, "oops", "its kernel panicked", "OOPS"),
                new Case("6.1", "5G", 1, "panic", "its kernel panicked", "PANIC"),
                new Case("6.1", "1G", 1, "hang", "", "SILENT"),
                new Case("6.12", "1G", 1, "hang", "", "SILENT"),
                new Case("6.1", "128M", 4, "load", "killed", "SILENT"),
                new Case("6.12", "1G", 1, "load", "killed", "SILENT"));
        return System.getProperty("kmorph.vmcore.guests", "").equals("all") ? Stream.concat(always, more) : always;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void debiansToolsReadWhatWeSaveOf(Case one) throws Exception {
        Path archive = java.nio.file.Files.createTempDirectory(archives, one.trouble());
        DeadGuest guest = new DeadGuest(KMORPH, one.series(), one.memory(), one.cpus(), one.trouble(), directory);
        guest.spawn(Trouble.initramfs(archive, DebianKernels.of(one.series())));
        try {
            comesToItsEnd(guest, one);
            guest.capture("kdump");
            guest.capture("lzo", "--compress=lzo", "--level=0");
            guest.capture("elf", "--format=elf", "--level=0");
            weTell(guest, one);
            crashReads(guest, one);
            othersAgreeWithUs(guest, one);
            if (one.series().equals("6.1")) {
                selectionIsMakedumpfiles(guest);
            }
        } finally {
            KMORPH.ctl("terminate", guest.name(), "--force");
        }
    }

    private static void comesToItsEnd(DeadGuest guest, Case one) {
        LocalInstances instances = new LocalInstances(KMORPH);
        if (one.trouble().equals("load")) {
            guest.awaitHealth("HEALTHY");
            int id = (int) instances.status(guest.name()).get("id");
            LocalInstances.signal("KILL", instances.processes(id).get(1));
        }
        guest.awaitHealth("FAILED");
        guest.awaitReason(one.reason());
    }

    private static Duration analysisTakes(DeadGuest guest) throws IOException {
        long begun = System.nanoTime();
        Map<String, Object> found = guest.analyze(guest.file("kdump"));
        Duration took = Duration.ofNanos(System.nanoTime() - begun);
        System.out.printf("%s: %s; analysed in %d ms%n", guest, found.get("verdict"), took.toMillis());
        return took;
    }

    private static void weTell(DeadGuest guest, Case one) throws Exception {
        assertThat(Rounds.until(ANALYZED, () -> analysisTakes(guest))).isLessThan(ANALYZED);
        Map<String, Object> found = guest.analyze(guest.file("kdump"));
        assertThat(found)
                .containsEntry("kind", one.kind())
                .containsEntry("release", DebianKernels.release(one.series()));
        assertThat((List<?>) found.get("log")).isNotEmpty();
        if (one.trouble().equals("hang") || one.trouble().equals("oops")) {
            // the two are names of one place
            assertThat(String.valueOf(found.get("backtraces")))
                    .containsPattern("(hang_init|init_module)\\+0x[0-9a-f]+ \\[hang], do_one_initcall");
        }
    }

    private static void crashReads(DeadGuest guest, Case one) {
        if (one.series().equals("6.1")) {
            String said = guest.crash("--hex", "sys\nmod\nbt\nlog\nquit\n");
            assertThat(said).contains("CPUS: " + one.cpus()).containsPattern("kerf_vsock +[0-9a-f]{16}");
            assertThat(said).containsPattern("\\[ +[0-9.]+\\] ");
            if (one.trouble().equals("oops")) {
                assertThat(said).contains("COMMAND: \"trouble\"").containsPattern("RIP: .*(hang_init|init_module)");
            }
        } else {
            assertThat(guest.crash("--no_modules", "log\nquit\n")).contains("Linux version 6.12");
        }
    }

    private static void othersAgreeWithUs(DeadGuest guest, Case one) throws IOException {
        assertThat(guest.tasksByUs()).anyMatch(task -> task.endsWith(" trouble"));
        for (String suffix : List.of("kdump", "lzo", "elf")) {
            assertThat(guest.tasksByDrgn(suffix)).as("drgn, %s", suffix).isEqualTo(guest.tasksByUs());
        }
        List<?> log = (List<?>) guest.analyze(guest.file("kdump")).get("log");
        for (String suffix : List.of("lzo", "elf")) {
            assertThat(guest.logByMakedumpfile(suffix))
                    .as("makedumpfile, %s", suffix)
                    .isEqualTo(log);
        }
        String said = guest.gdb("info threads", "x/s linux_banner");
        assertThat(said).contains("Linux version 6.");
        if (!one.trouble().equals("load")) {
            // gdb takes those that idle for one thread, for their tasks have one id
            assertThat(guest.tasksByUs())
                    .filteredOn(task -> task.endsWith(" trouble"))
                    .anyMatch(task -> said.contains("LWP " + task.split(" ")[0]));
        }
    }

    private static void selectionIsMakedumpfiles(DeadGuest guest) throws IOException {
        for (int level : LEVELS) {
            Path ours = guest.capture("level-" + level, "--compress=lzo", "--level=" + level);
            assertThat(DumpedPages.of(ours)).as("level %d", level).isEqualTo(guest.pagesByMakedumpfile(level));
        }
    }
}
