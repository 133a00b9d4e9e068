// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.vmcore.file.DumpFile;

/** Flattened files that end too early or lie. */
class HostileFlattenedTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private Path file;
    private byte[] whole;
    private byte[] memory;

    @BeforeEach
    void make() throws Exception {
        file = directory.resolve("flat");
        CaptureOptions options = new CaptureOptions(CaptureOptions.Format.KDUMP, Compression.LZO, 0, 2, true);
        try (OutputStream out = Files.newOutputStream(file)) {
            Capturer capturer =
                    new Capturer(Programs.capture(), MemorySource.of(SmallMemory.in(directory)), List.of(), options);
            CaptureFile.stream(out, capturer, (done, total) -> {});
        }
        whole = Files.readAllBytes(file);
        memory = Files.readAllBytes(directory.resolve("memory"));
    }

    /** Every page that can be read must be the right one. @return how many could be read */
    private int right(byte[] content) throws IOException {
        Files.write(file, content);
        int readable = 0;
        byte[] page = new byte[4096];
        try (DumpFile dump = DumpFile.open(file)) {
            for (int i = 0; i < SmallMemory.PAGES; i++) {
                if (there(dump, SmallMemory.frame(i), page)) {
                    readable++;
                    assertThat(Arrays.equals(page, 0, 4096, memory, i * 4096, i * 4096 + 4096))
                            .as("page %d of a file cut at %d", i, content.length)
                            .isTrue();
                }
            }
        }
        return readable;
    }

    private static boolean there(DumpFile dump, long frame, byte[] page) {
        try {
            return dump.page(frame, page);
        } catch (IOException e) {
            assertThat(e.getMessage()).isNotBlank();
            return false;
        }
    }

    @Test
    void cutAnywhereItHasNoPageThatIsNotRight() throws Exception {
        assertThat(right(whole)).isEqualTo(SmallMemory.PAGES);
        for (int length = 0; length < whole.length; length += length < 4200 ? 41 : 20_011) {
            try {
                right(Arrays.copyOf(whole, length));
            } catch (IOException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    void piecesThatLieAreErrors() {
        Assertions.assertTimeoutPreemptively(SOON, () -> {
            for (int at : new int[] {4096, 4104}) {
                for (long lie : new long[] {0, 1, -2, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 40, 1L << 62}) {
                    byte[] lying = whole.clone();
                    ByteBuffer.wrap(lying).putLong(at, lie);
                    Files.write(file, lying);
                    try (DumpFile dump = DumpFile.open(file)) {
                        there(dump, 0, new byte[4096]);
                    } catch (IOException e) {
                        assertThat(e.getMessage()).isNotBlank();
                    }
                }
            }
        });
    }
}
