// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelReleaseTest {
    private static final String RELEASE = "6.1.0-18-cloud-amd64";

    @TempDir
    Path directory;

    private Path file(byte[] content) throws IOException {
        return Files.write(directory.resolve("image"), content);
    }

    private static byte[] bzImage(int pointer) {
        ByteBuffer image = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
        image.putInt(0x202, 0x53726448).putShort(0x20e, (short) pointer);
        image.position(0x600);
        image.put((RELEASE + " (debian) #1 SMP").getBytes(StandardCharsets.US_ASCII));
        return image.array();
    }

    @Test
    void bzImageNamesItsReleaseInItsHeader() throws Exception {
        assertThat(KernelRelease.of(file(bzImage(0x400)))).isEqualTo(RELEASE);
    }

    @Test
    void vmlinuxNamesItInItsBannerWhereverThatLies() throws Exception {
        for (int at : new int[] {100, (1 << 20) - 10, (1 << 20) - 80, 3_000_000}) {
            ByteBuffer image = ByteBuffer.allocate(4 << 20).order(ByteOrder.LITTLE_ENDIAN);
            image.putInt(0, 0x464c457f);
            image.position(50);
            image.put("Linux version %s (%s)".getBytes(StandardCharsets.US_ASCII));
            image.position(at);
            image.put(("Linux version " + RELEASE + " (gcc)").getBytes(StandardCharsets.US_ASCII));
            assertThat(KernelRelease.of(file(image.array())))
                    .as("banner at %d", at)
                    .isEqualTo(RELEASE);
        }
    }

    @Test
    void anImageCutAnywhereIsAnErrorThatNamesIt() throws IOException {
        byte[] whole = bzImage(0x400);
        for (int length = 0; length < 0x600 + RELEASE.length(); length += 7) {
            Path cut = file(java.util.Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> KernelRelease.of(cut))
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining(cut.toString())
                    .hasMessageContaining("neither a bzImage");
        }
    }

    @Test
    void aPointerBeyondTheEndIsAnError() throws IOException {
        Path image = file(bzImage(0xfff0));
        assertThatThrownBy(() -> KernelRelease.of(image)).isInstanceOf(ImageException.class);
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> KernelRelease.of(directory.resolve("vmlinuz")))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("vmlinuz is not there");
    }
}
