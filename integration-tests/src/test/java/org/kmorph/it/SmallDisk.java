// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A file system of a few kilobytes, in memory. Needs root: the tests that use it say so by failing without it. */
public record SmallDisk(Path path) implements AutoCloseable {
    public static SmallDisk ofKilobytes(int size) throws IOException {
        Path path = Files.createTempDirectory("kmorph-disk-");
        Programs.run(
                        path,
                        Map.of(),
                        "",
                        List.of("mount", "-t", "tmpfs", "-o", "size=" + size + "k", "kmorph-it", path.toString()))
                .ok();
        return new SmallDisk(path);
    }

    @Override
    public void close() throws IOException {
        Programs.run(Path.of("/"), Map.of(), "", List.of("umount", path.toString()))
                .ok();
        Files.delete(path);
    }
}
