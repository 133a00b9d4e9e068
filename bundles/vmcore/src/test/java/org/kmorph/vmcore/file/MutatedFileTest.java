// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.vmcore.capture.TinyDumps;
import org.kmorph.vmcore.service.Reading;

/**
 * Files of a small kernel's memory, of every format that we write, with some of their bytes changed: whatever comes of it, it comes
 * soon and takes a bounded amount of memory. Takes {@code kmorph.fuzz.seconds}, 3 if not told otherwise; {@code ./kmorph bench fuzz} lets it
 * run for longer. What breaks something is kept in {@code target/fuzz}, and named by its seed.
 */
class MutatedFileTest {
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final long MOST_ALLOCATED = 512L << 20;
    private static final long[] SPECIAL = {
        0, 1, -1, 0x7fffffff, 0x80000000L, 0xffffffffL, Long.MAX_VALUE, Long.MIN_VALUE, 4096, 1L << 32, 1L << 47
    };

    @TempDir
    private Path directory;

    @Test
    void aMutatedFileIsReadInPartOrRefusedSoon() throws Exception {
        List<byte[]> originals = new ArrayList<>();
        for (Path path : TinyDumps.all(directory)) {
            originals.add(Files.readAllBytes(path));
            assertThat(Reading.of(path).verdict().reason())
                    .as("unchanged: %s", path)
                    .isEqualTo("tiny");
        }
        Path victim = directory.resolve("victim");
        long end = System.nanoTime()
                + Duration.ofSeconds(Long.getLong("kmorph.fuzz.seconds", 3)).toNanos();
        long seed = Long.getLong("kmorph.fuzz.seed", System.nanoTime());
        long rounds = 0;
        while (System.nanoTime() < end) {
            SplittableRandom random = new SplittableRandom(seed);
            Files.write(victim, mutated(originals.get(random.nextInt(originals.size())), random));
            read(victim, seed);
            seed++;
            rounds++;
        }
        assertThat(rounds).isPositive();
    }

    private static byte[] mutated(byte[] original, SplittableRandom random) {
        byte[] bytes = original.clone();
        ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = random.nextInt(1, 30); i > 0; i--) {
            // heads are small, and matter
            int at = random.nextInt(random.nextBoolean() ? Math.min(bytes.length, 3 << 12) : bytes.length - 8) & ~3;
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> words.putInt(at, (int) SPECIAL[random.nextInt(SPECIAL.length)]);
                case 2 -> words.putLong(at, SPECIAL[random.nextInt(SPECIAL.length)]);
                default -> {
                    int from = random.nextInt(bytes.length);
                    int length = Math.min(random.nextInt(1, 64), bytes.length - Math.max(at, from));
                    System.arraycopy(original, from, bytes, at, length);
                }
            }
        }
        return random.nextInt(4) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    private static void read(Path victim, long seed) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long begun = System.nanoTime();
        try {
            assertThat(Reading.of(victim).verdict().paragraph()).isNotEmpty();
        } catch (IOException e) {
            assertThat(e.getMessage()).as("seed %d", seed).isNotEmpty();
        } catch (RuntimeException | Error e) {
            throw new AssertionError(kept(victim, seed), e);
        }
        if (System.nanoTime() - begun > SOON.toNanos()) {
            throw new AssertionError(
                    "it takes " + (System.nanoTime() - begun) / 1_000_000 + " ms: " + kept(victim, seed));
        }
        long more = threads.getCurrentThreadAllocatedBytes() - allocated;
        if (more > MOST_ALLOCATED) {
            throw new AssertionError("it takes " + more + " bytes of memory: " + kept(victim, seed));
        }
    }

    private static String kept(Path victim, long seed) {
        try {
            Path copy = Files.createDirectories(Path.of("target/fuzz")).resolve("dump-" + seed);
            Files.write(copy, Files.readAllBytes(victim));
            return "-Dkmorph.fuzz.seed=" + seed + ", " + copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
