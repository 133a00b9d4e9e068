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
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.vmcore.capture.Compression;
import org.kmorph.vmcore.capture.SmallMemory;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;
import org.kmorph.vmcore.service.Reading;

/** Whatever a file holds, reading it ends soon, in pages or in an IOException. */
class HostileFileTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private byte[] whole;
    private Path victim;

    @BeforeEach
    void file() throws Exception {
        whole = SmallMemory.kdumpDataLast(directory, Compression.ZSTD);
        victim = directory.resolve("victim");
    }

    @Test
    void truncatedAnywhereInItsHeadItIsRefusedOrReadInPart() throws Exception {
        for (byte[] file : List.of(whole, Files.readAllBytes(SmallMemory.kdump(directory, Compression.ZSTD)))) {
            int bitmaps = bitmaps(file);
            int[] boundaries = {
                0, 1, 8, 12, 463, 464, 4095, 4096, 4200, 8191, 8192, 8300, bitmaps, bitmaps + 4096, bitmaps + 8192
            };
            for (int length : boundaries) {
                Assertions.assertTimeoutPreemptively(SOON, () -> readAll(Arrays.copyOf(file, length)));
            }
        }
    }

    private static int bitmaps(byte[] file) {
        return 4096 * (1 + ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(432));
    }

    @Test
    void truncatedInTheDataThatLieBeforeTheBitmapsItIsRefused() throws Exception {
        byte[] file = Files.readAllBytes(SmallMemory.kdump(directory, Compression.ZSTD));
        assertThat(bitmaps(file)).isGreaterThan(file.length / 2);
        Files.write(victim, Arrays.copyOf(file, file.length / 2));
        assertThatThrownBy(() -> DumpFile.open(victim))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("claims 2 blocks of bitmaps at " + bitmaps(file));
    }

    @Test
    void truncatedInItsDataItSaysWhatIsMissing() throws Exception {
        Files.write(victim, Arrays.copyOf(whole, 5 * 4096 + 1000));
        try (DumpFile file = DumpFile.open(victim)) {
            assertThat(file.damage()).singleElement().asString().contains("truncated");
        }
    }

    @Test
    void lyingLengthsAreRefused() throws Exception {
        for (int field : new int[] {432, 436}) {
            byte[] lying = whole.clone();
            ByteBuffer.wrap(lying).order(ByteOrder.LITTLE_ENDIAN).putInt(field, -1);
            Files.write(victim, lying);
            assertThatThrownBy(() -> DumpFile.open(victim))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("claims");
        }
        byte[] lying = whole.clone();
        ByteBuffer.wrap(lying).order(ByteOrder.LITTLE_ENDIAN).putLong(4096 + 96, Long.MAX_VALUE);
        Files.write(victim, lying);
        assertThatThrownBy(() -> DumpFile.open(victim))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("claims");
    }

    @Test
    void flippedBitsNeverDoMoreThanFail() {
        Random random = new Random(11);
        Assertions.assertTimeoutPreemptively(SOON.multipliedBy(3), () -> {
            for (int round = 0; round < 100; round++) {
                byte[] flipped = whole.clone();
                for (int i = 0; i < 1 + round % 5; i++) {
                    int at = round % 2 == 0 ? random.nextInt(8 * 4096) : random.nextInt(flipped.length);
                    flipped[at] ^= (byte) (1 << random.nextInt(8));
                }
                readAll(flipped);
            }
        });
    }

    @Test
    void anElfFileOfNonsenseIsRefused() throws Exception {
        Random random = new Random(13);
        for (int round = 0; round < 100; round++) {
            byte[] bytes = new byte[4096];
            random.nextBytes(bytes);
            ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            head.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
            head.putShort(16, (short) 4).putShort(18, (short) 62);
            head.putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) (1 + random.nextInt(20)));
            for (int i = 0; i < 20; i++) {
                head.putInt(64 + 56 * i, random.nextBoolean() ? 1 : 4);
                if (random.nextBoolean()) {
                    head.putLong(64 + 56 * i + 8, random.nextInt(5000));
                    head.putLong(64 + 56 * i + 24, random.nextInt());
                    head.putLong(64 + 56 * i + 32, random.nextInt(9000));
                }
            }
            readAll(bytes);
        }
    }

    @Test
    void whatIsNoDumpIsNamed() throws Exception {
        Files.writeString(victim, "hello");
        assertThatThrownBy(() -> Reading.of(victim))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("victim is neither");
    }

    private void readAll(byte[] bytes) throws IOException {
        Files.write(victim, bytes);
        byte[] page = new byte[PhysicalMemory.PAGE];
        try (DumpFile file = DumpFile.open(victim)) {
            int looked = 0;
            for (Extent extent : file.extents()) {
                for (long frame = extent.start() >>> 12;
                        frame < extent.end() >>> 12 && looked < 2000;
                        frame++, looked++) {
                    try {
                        file.page(frame, page);
                    } catch (IOException e) {
                        assertThat(e.getMessage()).isNotEmpty();
                    }
                }
            }
            Reading.of(victim);
        } catch (IOException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
    }
}
