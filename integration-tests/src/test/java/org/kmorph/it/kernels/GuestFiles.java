// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Files in an archive that a kernel boots with. */
final class GuestFiles {
    private GuestFiles() {}

    /**
     * Makes the archive.
     *
     * @param files by the names that they are to have in the guest's root directory; all can be executed
     * @return its path
     */
    static Path in(Path archive, Map<String, Path> files) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Map.Entry<String, Path> file : files.entrySet()) {
            entry(out, file.getKey(), 0100755, Files.readAllBytes(file.getValue()));
        }
        entry(out, "TRAILER!!!", 0, new byte[0]);
        return Files.write(archive, out.toByteArray());
    }

    /** The format newc: Documentation/driver-api/early-userspace/buffer-format.rst of Linux. */
    private static void entry(ByteArrayOutputStream to, String name, int mode, byte[] content) throws IOException {
        to.write(String.format(
                        "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\0",
                        1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length() + 1, 0, name)
                .getBytes(US_ASCII));
        to.write(new byte[-to.size() & 3]);
        to.write(content);
        to.write(new byte[-to.size() & 3]);
    }
}
