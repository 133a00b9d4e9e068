// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** The program trouble.c of kernel/kerf-vsock/tests, compiled, in an archive that a kernel boots with. */
final class Trouble {
    private Trouble() {}

    /**
     * Makes the archive.
     *
     * @param kernel what {@code ./kmorph kernels} has for the kernel that is to boot with it: its hang.ko goes in
     * @return its path
     */
    static Path initramfs(Path directory, Path kernel) throws IOException, InterruptedException {
        Path source = Path.of(System.getProperty("kmorph.root"), "kernel/kerf-vsock/tests/trouble.c");
        Path program = directory.resolve("trouble");
        Process gcc = new ProcessBuilder(
                        "gcc", "-static", "-O1", "-Wall", "-Werror", "-o", program.toString(), source.toString())
                .inheritIO()
                .start();
        assertThat(gcc.waitFor()).as("status of gcc").isZero();
        return GuestFiles.in(
                directory.resolve("trouble.cpio"), Map.of("trouble", program, "hang.ko", kernel.resolve("hang.ko")));
    }
}
