// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Packings that no tool at hand writes. */
class UnpackerTest {
    private static final int SNAPPY = 4;
    private static final int ZLIB_AND_LZO = 3;

    /** A page of one letter, after the description of the format: its length, a literal, and copies of 64 bytes and one of 63 from one before. */
    private static byte[] snappy() {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        packed.writeBytes(new byte[] {(byte) 0x80, 0x20, 0, 'a'});
        for (int i = 0; i < 64; i++) {
            packed.writeBytes(new byte[] {(byte) (i < 63 ? 0xfe : 0xfa), 1, 0});
        }
        return packed.toByteArray();
    }

    @Test
    void aPageThatSnappyPackedIsUnpacked() throws IOException {
        byte[] expected = new byte[4096];
        Arrays.fill(expected, (byte) 'a');
        byte[] page = new byte[4096];
        try (Unpacker unpacker = new Unpacker()) {
            unpacker.unpack(SNAPPY, snappy(), page);
        }
        assertThat(page).isEqualTo(expected);
    }

    @Test
    void oneThatIsCutIsRefused() {
        byte[] page = new byte[4096];
        try (Unpacker unpacker = new Unpacker()) {
            for (int length = 0; length < snappy().length; length++) {
                byte[] cut = Arrays.copyOf(snappy(), length);
                assertThatThrownBy(() -> unpacker.unpack(SNAPPY, cut, page))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("snappy");
            }
        }
        assertThat(page).containsOnly(0);
    }

    @Test
    void aPackingThatIsNotKnownIsNamed() {
        try (Unpacker unpacker = new Unpacker()) {
            assertThatThrownBy(() -> unpacker.unpack(ZLIB_AND_LZO, new byte[10], new byte[4096]))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("not known: flags 0x3");
        }
    }
}
