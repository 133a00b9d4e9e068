// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images whose payload was packed by the programs that the kernel's build uses, with its options. */
class KernelPayloadTest {
    @TempDir
    Path directory;

    private Path cache;
    private byte[] kernel;

    @BeforeEach
    void makeKernel() throws IOException {
        cache = Files.createDirectory(directory.resolve("cache"));
        // some of it packs well, some not at all, and it is larger than a block of any of the formats
        kernel = new byte[9_000_000];
        Random random = new Random(3);
        for (int i = 0; i < kernel.length; i++) {
            kernel[i] = (byte) (i / 1_000_000 % 3 == 1 ? random.nextInt() : i >> 7);
        }
        ByteBuffer.wrap(kernel).order(ByteOrder.LITTLE_ENDIAN).putInt(0x464c457f);
    }

    private byte[] packed(String command) throws IOException, InterruptedException {
        Path plain = Files.write(directory.resolve("vmlinux"), kernel);
        Path out = directory.resolve("packed");
        Process process = new ProcessBuilder("sh", "-c", command)
                .redirectInput(plain.toFile())
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor()).as(command).isZero();
        return Files.readAllBytes(out);
    }

    private Path image(byte[] payload, int offset) throws IOException {
        ByteBuffer image =
                ByteBuffer.allocate(5 * 512 + offset + payload.length + 100).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 4).putInt(0x202, 0x53726448).putShort(0x206, (short) 0x20f);
        image.putInt(0x248, offset).putInt(0x24c, payload.length);
        image.put(5 * 512 + offset, payload);
        return Files.write(directory.resolve("bzImage"), image.array());
    }

    private byte[] withLength(byte[] packed, int length) {
        return ByteBuffer.allocate(packed.length + 4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(packed)
                .putInt(length)
                .array();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bzip2 -9",
                "xz --check=crc32 --x86 --lzma2=dict=32MiB",
                "lz4 -l -9 - -",
                "zstd -22 --ultra -q",
                "lzop -9",
                "gzip -n -9"
            })
    void kernelComesOutAsItWasPacked(String command) throws Exception {
        byte[] packed = packed(command);
        byte[] payload = command.startsWith("gzip") ? packed : withLength(packed, kernel.length);
        Path vmlinux = KernelPayload.vmlinux(image(payload, 723), cache);
        assertThat(Files.readAllBytes(vmlinux)).isEqualTo(kernel);
    }

    /** Whatever byte of an image is wrong: an error that names it, or nothing; never a hang, a crash or a file that stays. */
    @ParameterizedTest
    @ValueSource(strings = {"bzip2 -9", "xz --check=crc32", "lz4 -l - -", "zstd -3 -q", "lzop -1", "gzip -n -9"})
    void brokenPayloadIsAnErrorAndLeavesNothing(String command) throws Exception {
        kernel = java.util.Arrays.copyOf(kernel, 300_000);
        byte[] good = packed(command);
        Random random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 60; i++) {
            byte[] packed = good.clone();
            int at = i < 20 ? 4 + random.nextInt(60) : random.nextInt(packed.length);
            packed[at] ^= (byte) (1 + random.nextInt(255));
            byte[] payload = command.startsWith("gzip") ? packed : withLength(packed, kernel.length);
            try {
                Files.delete(KernelPayload.vmlinux(image(payload, 0), cache));
            } catch (ImageException e) {
                refused++;
                assertThat(e).hasMessageContaining(directory.resolve("bzImage").toString());
            }
            try (var left = Files.list(cache)) {
                assertThat(left).isEmpty();
            }
        }
        assertThat(refused).isPositive();
    }

    @Test
    void imageThatWasUnpackedIsTakenFromTheCache() throws Exception {
        Path image = image(packed("gzip -n -1"), 0);
        Path first = KernelPayload.vmlinux(image, cache);
        Files.write(first, List.of("kept"));
        assertThat(KernelPayload.vmlinux(image, cache)).isEqualTo(first).hasContent("kept\n");
    }

    @Test
    void vmlinuxIsItself() throws Exception {
        Path vmlinux = Files.write(directory.resolve("vmlinux"), kernel);
        assertThat(KernelPayload.vmlinux(vmlinux, cache)).isEqualTo(vmlinux);
    }

    @Test
    void imageThatIsCutOffIsRefused() throws Exception {
        Path image = image(packed("gzip -n -1"), 0);
        byte[] bytes = Files.readAllBytes(image);
        Files.write(image, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> KernelPayload.vmlinux(image, cache))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("is cut off");
    }

    @Test
    void packingThatIsNotKnownIsNamed() throws Exception {
        Path image = image("anything at all".getBytes(), 0);
        assertThatThrownBy(() -> KernelPayload.vmlinux(image, cache))
                .hasMessageContaining("gzip, bzip2, xz, lz4, lzo or zstd");
    }

    @Test
    void lengthBeyondAllBoundsIsRefusedBeforeAnythingIsWritten() throws Exception {
        Path image = image(withLength(packed("zstd -1 -q"), Integer.MAX_VALUE), 0);
        assertThatThrownBy(() -> KernelPayload.vmlinux(image, cache)).hasMessageContaining("at most 536870912");
    }

    @Test
    void payloadThatIsShorterThanItSaysIsRefused() throws Exception {
        Path image = image(withLength(packed("xz --check=crc32"), kernel.length + 1), 0);
        assertThatThrownBy(() -> KernelPayload.vmlinux(image, cache)).hasMessageContaining("ends after");
    }
}
