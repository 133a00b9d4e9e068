// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kmorph.it.Kmorph;

/**
 * Two real kernels that panicked, captured by us and read by Debian's own tools, and what those write read by us. Needs what
 * {@code ./kmorph kernels --debug} fetches, crash, python3-drgn, makedumpfile and gdb, and fails without them.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class VmcoreTest {
    private static final List<Integer> LEVELS = List.of(1, 2, 8, 16, 17, 30, 31);

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    @TempDir
    static Path directory;

    private static final Map<String, DeadGuest> GUESTS = new LinkedHashMap<>();

    @BeforeAll
    static void twoKernelsPanic() throws Exception {
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
        Path initramfs = Trouble.initramfs(directory, DebianKernels.of("6.12"));
        for (String series : List.of("6.1", "6.12")) {
            GUESTS.put(series, new DeadGuest(KMORPH, series, "128M", 1, "panic", directory));
            GUESTS.get(series).spawn(initramfs);
        }
        for (DeadGuest guest : GUESTS.values()) {
            guest.awaitPanic();
            guest.capture("kdump");
            guest.capture("lzo", "--compress=lzo", "--level=0");
            guest.capture("elf", "--format=elf", "--level=0");
            for (int level : LEVELS) {
                guest.capture("level-" + level, "--compress=lzo", "--level=" + level);
            }
        }
    }

    @AfterAll
    static void end() {
        GUESTS.values().forEach(guest -> KMORPH.ctl("terminate", guest.name(), "--force"));
        GUESTS.clear();
    }

    static Stream<DeadGuest> guests() {
        return GUESTS.values().stream();
    }

    @ParameterizedTest
    @MethodSource("guests")
    void weTellWhatHappened(DeadGuest guest) throws IOException {
        Map<String, Object> found = guest.analyze(guest.file("kdump"));
        assertThat(found)
                .containsEntry("kind", "PANIC")
                .containsEntry("reason", "sysrq triggered crash")
                .containsEntry("release", DebianKernels.release(guest.series()))
                .containsEntry("not_known", List.of());
        assertThat(String.valueOf(found.get("verdict")))
                .contains("panicked in sysrq_handle_crash", "on CPU 0", "(trouble)");
        assertThat(String.valueOf(found.get("backtraces")))
                .contains("panic+", "write_sysrq_trigger", "ksys_write", "[pvpanic]", "registers");
        assertThat(names(found, "modules")).contains("kerf_vsock", "pvpanic");
        assertThat(guest.file("kdump.sha256")).content().startsWith(sha256(guest, guest.file("kdump")));
    }

    private static String sha256(DeadGuest guest, Path file) {
        return guest.run("", "sha256sum", file.toString()).ok().out().substring(0, 64);
    }

    @Test
    void crashReadsIt() throws IOException {
        assertThat(GUESTS.get("6.1").crash("--hex", "sys\nmod\nbt\nlog\nquit\n"))
                .contains("RELEASE: " + DebianKernels.release("6.1"))
                .contains("CPUS: 1")
                .contains("PANIC: \"Kernel panic - not syncing: sysrq triggered crash\"")
                .containsPattern("kerf_vsock +[0-9a-f]{16}")
                .containsPattern("COMMAND: \"trouble\"\\s+#0 .* panic at")
                .containsPattern("#1 .* sysrq_handle_crash at .*\\s+#2 .* __handle_sysrq")
                .containsPattern("\\[ +[0-9.]+\\] Kernel panic - not syncing: sysrq triggered crash");
    }

    /** crash 8.0.2 does not know how kernels since 6.4 hold their modules, and gives up; without modules it reads the log of later ones. */
    @Test
    void crashReadsTheLogOfOneThatIsNewerThanIt() throws IOException {
        assertThat(GUESTS.get("6.12").crash("--no_modules", "log\nquit\n"))
                .contains("Linux version " + DebianKernels.release("6.12"))
                .containsPattern("\\[ +[0-9.]+\\] Kernel panic - not syncing: sysrq triggered crash");
    }

    @ParameterizedTest
    @MethodSource("guests")
    void drgnFindsTheTasksThatWeFind(DeadGuest guest) throws IOException {
        Set<String> ours = guest.tasksByUs();
        assertThat(ours).hasSizeGreaterThan(20).anyMatch(task -> task.endsWith(" trouble"));
        for (String suffix : List.of("kdump", "lzo", "elf")) {
            assertThat(guest.tasksByDrgn(suffix)).as(suffix).isEqualTo(ours);
        }
    }

    @ParameterizedTest
    @MethodSource("guests")
    void valuesAreThoseThatDrgnFinds(DeadGuest guest) throws IOException {
        Path script = Files.writeString(
                directory.resolve("values.py"),
                """
                from drgn.helpers.linux.percpu import per_cpu
                task, queue = prog["init_task"], per_cpu(prog["runqueues"], 0)
                print('"%s"' % task.comm.string_().decode())
                print(queue.nr_running.value_())
                print(queue.curr.pid.value_())
                print(hex(task.tasks.next.value_()))
                print('"%s"' % prog["init_uts_ns"].name.release.string_().decode())
                print(prog["jiffies_64"].value_())
                print(task.sched_reset_on_fork.value_(), task.in_execve.value_(), queue.curr.flags.value_())
                """);
        String ours = Stream.of(
                        "init_task.comm",
                        "runqueues[0].nr_running",
                        "runqueues[0].curr->pid",
                        "init_task.tasks.next",
                        "init_uts_ns.name.release",
                        "jiffies_64")
                .map(expression -> print(guest, expression))
                .collect(Collectors.joining());
        String bits = Stream.of("init_task.sched_reset_on_fork", "init_task.in_execve", "runqueues[0].curr->flags")
                .map(expression -> print(guest, expression).strip())
                .collect(Collectors.joining(" "));
        assertThat(ours + bits + "\n").isEqualTo(guest.drgn("kdump", script));
        assertThat(print(guest, "*runqueues[0].curr")).contains(".comm = \"trouble\"", ".thread_info = {");
    }

    private static String print(DeadGuest guest, String expression) {
        return KMORPH.ctl("vmcore", "print", guest.file("kdump").toString(), expression)
                .ok()
                .out();
    }

    @ParameterizedTest
    @MethodSource("guests")
    void makedumpfileReadsItsLogAsWeDo(DeadGuest guest) throws IOException {
        List<?> ours = (List<?>) guest.analyze(guest.file("kdump")).get("log");
        for (String suffix : List.of("lzo", "elf")) {
            assertThat(guest.logByMakedumpfile(suffix)).as(suffix).isEqualTo(ours);
        }
    }

    @ParameterizedTest
    @MethodSource("guests")
    void weReadWhatMakedumpfileAndQemuWrite(DeadGuest guest) throws IOException {
        Object signature = guest.analyze(guest.file("kdump")).get("signature");
        assertThat(String.valueOf(signature)).matches("[0-9a-f]{16}");
        Map<String, Path> others = new LinkedHashMap<>();
        // not user data: of 6.12, makedumpfile 1.7.2 would leave out slab pages, with tasks in them
        String level = "23";
        for (String option : List.of("-c", "-l", "-E")) {
            Path file = guest.file("makedumpfile" + option);
            guest.run("", "makedumpfile", option, "-d", level, guest.file("elf").toString(), file.toString())
                    .ok();
            others.put(option, file);
        }
        Path flat = guest.file("flat");
        guest.run("", "sh", "-c", "makedumpfile -F -l -d " + level + " '" + guest.file("elf") + "' >'" + flat + "'")
                .ok();
        others.put("flattened", flat);
        others.put("QEMU, ELF", guest.dumpByQemu("elf"));
        others.put("QEMU, kdump", guest.dumpByQemu("kdump-zlib"));
        others.forEach((what, file) -> assertThat(guest.analyze(file)).as(what).containsEntry("signature", signature));
    }

    @ParameterizedTest
    @MethodSource("guests")
    void gdbReadsTheElfFile(DeadGuest guest) {
        String task = rows(guest.analyze(guest.file("elf")), "tasks").stream()
                .filter(one -> "trouble".equals(one.get("name")))
                .map(one -> String.valueOf(one.get("pid")))
                .findFirst()
                .orElseThrow();
        String said = guest.gdb("info threads", "x/s linux_banner");
        assertThat(said)
                .contains("LWP " + task)
                .contains("Linux version 6.")
                .containsPattern("0xffffffff[0-9a-f]{8} in");
    }

    /**
     * Bit for bit; but for two things on 6.12. makedumpfile 1.7.2 does not know where kernels since 6.10 mark slab pages, and takes those
     * for user data whose first list pointer is odd; and not where they mark huge pages, and keeps those. Later versions do as we do. Of
     * what kind each page of the difference is, drgn says.
     */
    @ParameterizedTest
    @MethodSource("guests")
    void theSelectionOfPagesIsMakedumpfiles(DeadGuest guest) throws IOException {
        for (int level : LEVELS) {
            BitSet ours = DumpedPages.of(guest.file("level-" + level));
            BitSet expected = guest.pagesByMakedumpfile(level);
            if (guest.series().equals("6.12") && (level & 8) != 0) {
                assertThat(kinds(guest, without(ours, expected)))
                        .as("kept by us alone at level %d", level)
                        .containsOnly("slab");
                assertThat(kinds(guest, without(expected, ours)))
                        .as("left out by us alone at level %d", level)
                        .containsOnly("huge");
            } else {
                assertThat(ours).as("level %d", level).isEqualTo(expected);
            }
        }
        assertThat(DumpedPages.of(guest.file("level-31")).cardinality()).isLessThan(96 << 8);
    }

    private static BitSet without(BitSet all, BitSet some) {
        BitSet rest = (BitSet) all.clone();
        rest.andNot(some);
        return rest;
    }

    private static List<String> kinds(DeadGuest guest, BitSet frames) throws IOException {
        Path script = Files.writeString(
                directory.resolve("kinds.py"),
                """
                import sys
                from drgn.helpers.linux.mm import compound_head, pfn_to_page
                kinds = {prog["PGTY_slab"].value_(): "slab", prog["PGTY_hugetlb"].value_(): "huge"}
                for word in sys.stdin.read().split():
                    page = compound_head(pfn_to_page(prog, int(word)))
                    print(kinds.get((page.page_type.value_() & 0xffffffff) >> 24, "other"))
                """);
        String[] numbers = frames.stream().mapToObj(Integer::toString).toArray(String[]::new);
        return guest.drgn("kdump", script, numbers).lines().toList();
    }

    /** The last: it takes the guest away. */
    @Test
    @Order(Integer.MAX_VALUE)
    void recoverySavesTheMemoryAndTellsWhatIsInIt() {
        DeadGuest guest = GUESTS.get("6.12");
        KMORPH.ctl("policy", "set", "heal-action", guest.name(), "stop").ok();
        assertThat(KMORPH.ctl("recover", guest.name(), "--dry-run").ok().out()).contains("CAPTURING_VMCORE");
        KMORPH.ctl("recover", guest.name()).ok();
        Map<String, Object> recovery = KMORPH.ctl("recovery-log", "--instance=" + guest.name(), "-o", "json")
                .ok()
                .jsonRows()
                .get(0);
        assertThat(rows(recovery, "steps"))
                .extracting(step -> step.get("state"))
                .containsExactly(
                        "PREPARING_RECOVERY",
                        "FENCING",
                        "CAPTURING_VMCORE",
                        "RECLAIMING_RESOURCES",
                        "RECOVERY_COMPLETE");
        assertThat(rows(recovery, "steps").get(3).get("detail").toString())
                .contains("its memory is in", "panicked in sysrq_handle_crash");
        Map<String, Object> kept =
                KMORPH.ctl("vmcore", "list", "-o", "json").ok().jsonRows().get(0);
        assertThat(recovery.get("evidence"))
                .hasFieldOrPropertyWithValue("vmcore", kept.get("path"))
                .hasFieldOrPropertyWithValue("crash_signature", kept.get("signature"));
        assertThat(recovery).containsEntry("signature", kept.get("signature"));
        assertThat(KMORPH.ctl("recovery-log", "--instance=" + guest.name()).ok().out())
                .contains("SIGNATURE", String.valueOf(kept.get("signature")));
        Map<String, Object> again = guest.analyze(Path.of(kept.get("path").toString()));
        assertThat(again)
                .containsEntry("signature", kept.get("signature"))
                .containsEntry("signature", guest.analyze(guest.file("kdump")).get("signature"));
        assertThat(again.get("backtraces").toString())
                .as("registers are kept beyond the fencing")
                .contains("from=registers");
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> rows(Map<String, Object> of, String name) {
        return (List<Map<String, Object>>) of.get(name);
    }

    private static List<Object> names(Map<String, Object> of, String name) {
        return rows(of, name).stream().map(one -> one.get("name")).toList();
    }
}
