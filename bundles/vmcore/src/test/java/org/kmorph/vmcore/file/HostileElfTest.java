// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.vmcore.memory.Extent;

/** ELF files made by hand: cut anywhere, with very many headers, with headers that claim one piece of the file many times. */
class HostileElfTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int PAGE = 4096;
    private static final int PAGES = 16;
    private static final int MANY = 60_000;

    @TempDir
    Path directory;

    /** Each page, two pages apart in memory, has a header; the file has them one after the other from {@code data} on. */
    private static byte[] elf(int headers, int data, int pages) {
        ByteBuffer file = ByteBuffer.allocate(data + pages * PAGE).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        file.putShort(16, (short) 4).putShort(18, (short) 62).putLong(32, 64);
        file.putShort(54, (short) 56).putShort(56, (short) headers);
        for (int i = 0; i < headers; i++) {
            int at = 64 + 56 * i;
            file.putInt(at, 1).putLong(at + 8, data + (long) (i % pages) * PAGE);
            file.putLong(at + 24, 2L * i * PAGE).putLong(at + 32, PAGE);
        }
        for (int i = 0; i < pages; i++) {
            file.putInt(data + i * PAGE, i + 1).putInt(data + i * PAGE + PAGE - 4, i + 1);
        }
        return file.array();
    }

    private Path written(byte[] content) throws IOException {
        return Files.write(directory.resolve("elf"), content);
    }

    @Test
    void cutAnywhereItHasNoPageThatIsNotWhole() throws Exception {
        byte[] whole = elf(PAGES, PAGE, PAGES);
        byte[] page = new byte[PAGE];
        for (int length = 0; length < whole.length; length += length < 1200 ? 4 : 509) {
            try (DumpFile file = DumpFile.open(written(Arrays.copyOf(whole, length)))) {
                assertThat(file.damage()).as("cut at %d", length).isNotEmpty();
                for (Extent extent : file.extents()) {
                    long index = (extent.start() >>> 12) / 2;
                    assertThat(extent.length()).isEqualTo(PAGE);
                    assertThat(file.page(extent.start() >>> 12, page)).isTrue();
                    assertThat(ByteBuffer.wrap(page)
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .getInt(PAGE - 4))
                            .as("cut at %d", length)
                            .isEqualTo((int) index + 1);
                }
            } catch (IOException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    void aPageOfVeryManyHeadersIsFoundSoon() throws Exception {
        int data = 64 + 56 * MANY + PAGE & -PAGE;
        Path path = written(elf(MANY, data, MANY / 2));
        // half of the headers have no bytes of their own: let them claim none
        byte[] bytes = Files.readAllBytes(path);
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = MANY / 2; i < MANY; i++) {
            file.putLong(64 + 56 * i + 32, 0);
        }
        written(bytes);
        Assertions.assertTimeoutPreemptively(SOON, () -> {
            byte[] page = new byte[PAGE];
            try (DumpFile dump = DumpFile.open(path)) {
                for (int round = 0; round < 10; round++) {
                    for (int i = 0; i < MANY / 2; i++) {
                        assertThat(dump.page(2L * i, page)).isTrue();
                        assertThat(ByteBuffer.wrap(page)
                                        .order(ByteOrder.LITTLE_ENDIAN)
                                        .getInt(0))
                                .isEqualTo(i + 1);
                        assertThat(dump.page(2L * i + 1, page)).isFalse();
                    }
                }
            }
        });
    }

    @Test
    void headersThatClaimMoreMemoryThanTheFileHasAreRefused() throws Exception {
        Path path = written(elf(PAGES * 8, 3 * PAGE, PAGES));
        assertThatThrownBy(() -> DumpFile.open(path).close())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("claim");
    }

    @Test
    void aHeaderOfTextSharesBytesWithTheOneOfItsMemory() throws Exception {
        byte[] bytes = elf(2, PAGE, 2);
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(64 + 24, PAGE).putLong(64 + 8, 2 * PAGE);
        file.putLong(120 + 24, 0).putLong(120 + 8, PAGE).putLong(120 + 32, 2 * PAGE);
        byte[] page = new byte[PAGE];
        try (DumpFile dump = DumpFile.open(written(bytes))) {
            assertThat(dump.extents()).isEqualTo(List.of(new Extent(0, 2 * PAGE)));
            for (int i = 0; i < 2; i++) {
                assertThat(dump.page(i, page)).isTrue();
                assertThat(ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN).getInt(0))
                        .isEqualTo(i + 1);
            }
        }
    }
}
