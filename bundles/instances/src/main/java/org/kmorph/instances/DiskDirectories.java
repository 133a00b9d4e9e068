// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Directories on disk, called as the ids. */
final class DiskDirectories implements InstanceDirectories {
    private final Path all;

    DiskDirectories(Path all) {
        this.all = all;
    }

    @Override
    public Path of(int id) {
        return all.resolve(Integer.toString(id));
    }

    @Override
    public void make(int id) throws IOException {
        Files.createDirectories(
                of(id), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    @Override
    public void remove(int id) throws IOException {
        Path tree = of(id);
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> found = Files.walk(tree)) {
            List<Path> deepestFirst = found.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.delete(path);
            }
        }
    }
}
