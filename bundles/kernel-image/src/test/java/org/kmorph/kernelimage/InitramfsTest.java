// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives read back by their format: Documentation/driver-api/early-userspace/buffer-format.rst of Linux. */
class InitramfsTest {
    private static final int HEADER_BYTES = 110;

    @TempDir
    Path directory;

    private Path agent;
    private Path made;

    @BeforeEach
    void agent() throws IOException {
        agent = Files.writeString(directory.resolve("agent"), "the agent");
        made = directory.resolve("initramfs");
    }

    /** One entry: its mode, device and content. */
    private record Entry(int mode, int major, int minor, String content) {}

    private static int field(byte[] archive, int at, int number) {
        return Integer.parseUnsignedInt(new String(archive, at + 6 + 8 * number, 8, StandardCharsets.US_ASCII), 16);
    }

    private static int aligned(int at) {
        return at + 3 & ~3;
    }

    /** The entries of the archive that begins there, in their order. */
    private static Map<String, Entry> entries(byte[] archive, int from) {
        Map<String, Entry> found = new LinkedHashMap<>();
        for (int at = from; ; ) {
            assertThat(at % 4).isZero();
            assertThat(new String(archive, at, 6, StandardCharsets.US_ASCII)).isEqualTo("070701");
            int length = field(archive, at, 6);
            int nameLength = field(archive, at, 11);
            String name = new String(archive, at + HEADER_BYTES, nameLength - 1, StandardCharsets.UTF_8);
            assertThat(archive[at + HEADER_BYTES + nameLength - 1]).isZero();
            int content = aligned(at + HEADER_BYTES + nameLength);
            if (name.equals("TRAILER!!!")) {
                assertThat(content).isEqualTo(archive.length);
                return found;
            }
            found.put(
                    name,
                    new Entry(
                            field(archive, at, 1),
                            field(archive, at, 9),
                            field(archive, at, 10),
                            new String(archive, content, length, StandardCharsets.US_ASCII)));
            at = aligned(content + length);
        }
    }

    private void write(Optional<Path> given, String... modules) throws Exception {
        Map<String, byte[]> contents = new LinkedHashMap<>();
        for (String module : modules) {
            contents.put(module, ("module " + module).getBytes(StandardCharsets.US_ASCII));
        }
        Initramfs.write(made, agent, contents, given);
    }

    @Test
    void agentIsTheFirstProcessAndModulesAreListedInTheOrderOfLoading() throws Exception {
        write(Optional.empty(), "vsock", "kerf_vsock");
        Map<String, Entry> entries = entries(Files.readAllBytes(made), 0);
        assertThat(entries)
                .containsEntry("init", new Entry(0100755, 0, 0, "the agent"))
                .containsEntry("lib/kmorph/vsock.ko", new Entry(0100644, 0, 0, "module vsock"))
                .containsEntry(
                        "etc/kmorph/modules",
                        new Entry(0100644, 0, 0, "/lib/kmorph/vsock.ko\n/lib/kmorph/kerf_vsock.ko\n"))
                .containsEntry("dev/console", new Entry(0020600, 5, 1, ""))
                .containsEntry("dev/null", new Entry(0020666, 1, 3, ""));
        for (String mountPoint : new String[] {"dev", "proc", "sys", "tmp"}) {
            assertThat(entries).containsEntry(mountPoint, new Entry(0040755, 0, 0, ""));
        }
    }

    @Test
    void directoriesComeOnceAndBeforeWhatIsInThem() throws Exception {
        write(Optional.empty(), "vsock", "kerf_vsock");
        assertThat(entries(Files.readAllBytes(made), 0).keySet())
                .containsSubsequence("lib", "lib/kmorph", "lib/kmorph/vsock.ko", "lib/kmorph/kerf_vsock.ko")
                .containsSubsequence("etc", "etc/kmorph", "etc/kmorph/modules")
                .containsSubsequence("dev", "dev/console");
    }

    @Test
    void whatWasGivenComesFirstAsItIs() throws Exception {
        byte[] given = new byte[1000];
        Arrays.fill(given, (byte) 7);
        System.arraycopy("070701".getBytes(StandardCharsets.US_ASCII), 0, given, 0, 6);
        write(Optional.of(Files.write(directory.resolve("given"), given)), "vsock");
        byte[] whole = Files.readAllBytes(made);
        assertThat(Arrays.copyOf(whole, given.length)).isEqualTo(given);
        // the kernel skips zeros between archives
        assertThat(Arrays.copyOfRange(whole, given.length, 1024)).containsOnly(0);
        assertThat(entries(whole, 1024)).containsKey("init");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bzip2", "xz --check=crc32", "lz4 -l - -", "zstd -q", "lzop", "gzip", "xz --format=lzma"})
    void archiveThatIsPackedIsTakenToo(String packer) throws Exception {
        write(Optional.empty());
        Path packed = directory.resolve("packed");
        Process process = new ProcessBuilder("sh", "-c", packer)
                .redirectInput(made.toFile())
                .redirectOutput(packed.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor()).as(packer).isZero();
        write(Optional.of(packed), "vsock");
        assertThat(Files.readAllBytes(made)).startsWith(Files.readAllBytes(packed));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "#!/bin/sh", "070707 of cpio's old format"})
    void whatIsNoArchiveIsRefusedBeforeAnythingIsWritten(String nonsense) throws IOException {
        Path given = Files.writeString(directory.resolve("given"), nonsense);
        assertThatThrownBy(() -> write(Optional.of(given)))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining(given.toString())
                .hasMessageContaining("cpio -o -H newc");
        assertThat(made).doesNotExist();
    }
}
