// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What was installed, updated or removed in the running daemon and must be so again after its restart. In {@code state/bundles/}: the
 * jars, and the file {@code overrides} with a line {@code SYMBOLIC-NAME = FILE} for each, {@code -} for one that was removed. The
 * launcher reads it; a newer version in the distribution wins over a line.
 */
final class Overrides {
    private static final String REMOVED = "-";

    private final Path directory;
    private final Path list;

    Overrides(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.list = directory.resolve("overrides");
    }

    /** Keeps a copy of a jar. It counts only after {@link #record}. */
    Path keep(Jar jar) throws IOException {
        Path kept = directory.resolve(jar.symbolicName() + "-" + jar.version() + ".jar");
        Path partial = directory.resolve(kept.getFileName() + ".partial");
        Files.copy(jar.file(), partial, StandardCopyOption.REPLACE_EXISTING);
        sync(partial);
        Files.move(partial, kept, StandardCopyOption.ATOMIC_MOVE);
        return kept;
    }

    void record(Jar jar, Path kept) throws IOException {
        change(jar.symbolicName(), kept.getFileName().toString());
    }

    void recordRemoval(String symbolicName) throws IOException {
        change(symbolicName, REMOVED);
    }

    private void change(String symbolicName, String value) throws IOException {
        Map<String, String> lines = read();
        lines.put(symbolicName, value);
        Path partial = directory.resolve("overrides.partial");
        Files.writeString(
                partial,
                lines.entrySet().stream()
                        .map(line -> line.getKey() + " = " + line.getValue() + "\n")
                        .collect(Collectors.joining()));
        sync(partial);
        Files.move(partial, list, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
        deleteUnlisted(new HashSet<>(lines.values()));
    }

    private Map<String, String> read() throws IOException {
        Map<String, String> lines = new TreeMap<>();
        if (Files.exists(list)) {
            for (String line : Files.readAllLines(list, StandardCharsets.UTF_8)) {
                int equals = line.indexOf(" = ");
                if (equals > 0) {
                    lines.put(line.substring(0, equals), line.substring(equals + 3));
                }
            }
        }
        return lines;
    }

    private void deleteUnlisted(Set<String> listed) throws IOException {
        try (Stream<Path> found = Files.list(directory)) {
            List<Path> unlisted = found.filter(file -> file.toString().endsWith(".jar"))
                    .filter(file -> !listed.contains(file.getFileName().toString()))
                    .toList();
            for (Path file : unlisted) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static void sync(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }
}
