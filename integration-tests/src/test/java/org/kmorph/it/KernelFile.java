// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file with the header of a bzImage and nothing to boot: all that host local reads of a kernel. */
public final class KernelFile {
    public static final String RELEASE = "6.1.0-test";

    private KernelFile() {}

    /** One of {@link #RELEASE}. */
    public static Path in(Path directory) {
        return in(directory, RELEASE);
    }

    /** The setup header: Documentation/arch/x86/boot.rst of Linux, fields "HdrS" at 0x202 and kernel_version at 0x20e. */
    public static Path in(Path directory, String release) {
        ByteBuffer image = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
        image.putInt(0x202, 0x53726448).putShort(0x20e, (short) 0x400);
        image.position(0x600);
        image.put((release + " (kmorph) #1 SMP").getBytes(StandardCharsets.US_ASCII));
        try {
            return Files.write(directory.resolve("vmlinuz-" + release), image.array());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
