// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.it.Kmorph;
import org.kmorph.it.Pty;
import org.kmorph.it.Result;
import org.kmorph.it.SmallDisk;

/** Where a capture goes to, and what stops it, at the daemon's own door. Needs what {@code ./kmorph kernels} fetches, and root. */
class VmcoreOutputsTest {
    private static final String INTERRUPT = "\u0003";

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    @TempDir
    static Path directory;

    private static DeadGuest guest;

    @BeforeAll
    static void aKernelPanics() throws Exception {
        KMORPH.ctl("policy", "default", "auto-heal", "disabled").ok();
        guest = new DeadGuest(KMORPH, "6.1", "128M", 1, "panic", directory);
        guest.spawn(Trouble.initramfs(directory, DebianKernels.of("6.1")));
        guest.awaitPanic();
    }

    @AfterAll
    static void end() {
        KMORPH.ctl("terminate", guest.name(), "--force");
    }

    private static Result shell(String script) {
        return guest.run(
                "",
                "sh",
                "-c",
                "capture() { '" + kmorphctl() + "' vmcore capture " + guest.name() + " \"$@\"; }; " + script);
    }

    private static Path kmorphctl() {
        return KMORPH.home().resolve("bin/kmorphctl");
    }

    private static void assertTellsOfThePanic(Path file) {
        assertThat(guest.analyze(file))
                .containsEntry("reason", "sysrq triggered crash")
                .containsEntry("not_known", List.of());
    }

    @Test
    void standardOutputGetsAStreamThatMakedumpfileMakesAFileOf() {
        Path flat = guest.file("flat");
        shell("capture --output=- --compress=lzo >'" + flat + "'").ok();
        assertTellsOfThePanic(flat);
        Path file = guest.file("from-flat");
        shell("makedumpfile -R '" + file + "' <'" + flat + "'").ok();
        assertTellsOfThePanic(file);
    }

    @Test
    void aReaderOfStandardOutputThatGoesIsAnErrorAndNotAWait() {
        assertThat(shell("{ capture --output=- --level=0; echo status=$? >&2; } | head -c 100000 >/dev/null")
                        .err())
                .containsPattern("status=[1-9]");
    }

    @Test
    void aFifoGetsAStream() {
        Path flat = guest.file("from-fifo");
        Path fifo = guest.file("fifo");
        shell("mkfifo '" + fifo + "'; cat '" + fifo + "' >'" + flat + "' & capture --format=elf --output='" + fifo
                        + "' || { kill $!; exit 1; }; wait")
                .ok();
        assertTellsOfThePanic(flat);
    }

    @Test
    void aFullDiskIsSaidAndWhatWasWrittenIsMarked() throws Exception {
        try (SmallDisk disk = SmallDisk.ofKilobytes(4096)) {
            Path path = disk.path().resolve("memory.kdump");
            Result result = KMORPH.ctl("vmcore", "capture", guest.name(), "--output=" + path, "--level=0");
            assertThat(result.status()).isNotZero();
            assertThat(result.err()).contains("No space left on device", path + ".incomplete, of no use");
            assertThat(disk.path()).isDirectoryContaining(file -> file.endsWith("memory.kdump.incomplete"));
            assertThat(path).doesNotExist();
            assertThat(KMORPH.ctl("vmcore", "analyze", path + ".incomplete").out())
                    .doesNotContain("panicked");
        }
    }

    /** Its reader takes a megabyte and then nothing more, so that there is time to look. */
    @Test
    void aBarTellsRateAndTimeLeftAndAKeyEndsIt() throws Exception {
        Path fifo = guest.file("slow");
        shell("mkfifo '" + fifo + "'").ok();
        Process reader =
                new ProcessBuilder("sh", "-c", "{ head -c 1000000 >/dev/null; sleep 60; } <'" + fifo + "'").start();
        try (Pty terminal = Pty.run(
                List.of(kmorphctl().toString(), "vmcore", "capture", guest.name(), "--level=0", "--output=" + fifo),
                Map.of(),
                text -> {})) {
            terminal.await("capturing [");
            terminal.await("%  ");
            assertThat(terminal.await(" s left")).contains("/s  ");
            terminal.type(INTERRUPT);
            terminal.await("cancelled: what was written is of no use");
            assertThat(terminal.status()).isNotZero();
        } finally {
            reader.descendants().forEach(ProcessHandle::destroy);
            reader.destroy();
        }
    }
}
