// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The framework's own directory, new at each start: what it holds is made from the bundles that are there. It is in memory where the
 * system has a place for that, since hundreds of small files are made before the daemon is ready, and then a symbolic link in the cache
 * tells where. What earlier starts left is deleted when the daemon is at work, for nobody should wait for that. One daemon at a time,
 * which {@link Workplace} sees to.
 */
final class FrameworkStorage {
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    /** What is there takes less than 1 MiB, and each bundle that is installed later its own size. */
    private static final long ROOM_BYTES = 16L << 20;

    private final Path links;
    private final Path link;
    private final Path directory;

    private FrameworkStorage(Path links, Path link, Path directory) {
        this.links = links;
        this.link = link;
        this.directory = directory;
    }

    /**
     * @param memory a directory of a file system in memory, where anybody may make directories; nothing is made there if it does not
     *     exist, cannot be written or is nearly full
     */
    static FrameworkStorage create(Path cache, Path memory) throws IOException {
        Path links = Files.createDirectories(cache.resolve("framework"));
        String name = "kmorphd-" + UUID.randomUUID();
        Path link = links.resolve(name);
        if (!Files.isWritable(memory) || Files.getFileStore(memory).getUsableSpace() < ROOM_BYTES) {
            return new FrameworkStorage(links, link, Files.createDirectory(link, PRIVATE));
        }
        Path directory = memory.resolve(name);
        Files.createSymbolicLink(link, directory);
        Files.createDirectory(directory, PRIVATE);
        return new FrameworkStorage(links, link, directory);
    }

    Path directory() {
        return directory;
    }

    /** Begins to delete those of earlier starts. What cannot be deleted is tried again by the next start. */
    void deleteFormer() {
        Thread thread = new Thread(this::deleteOthers, "kmorph-former-storage");
        thread.setDaemon(true);
        thread.start();
    }

    void deleteOthers() {
        try (Stream<Path> found = Files.list(links)) {
            for (Path former : found.filter(path -> !path.equals(link)).toList()) {
                delete(former);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println(
                    "kmorphd: what an earlier start left in " + links + " cannot be deleted: " + e.getMessage());
        }
    }

    /** Deletes this one; the framework must have stopped. */
    void delete() throws IOException {
        delete(link);
    }

    private static void delete(Path link) throws IOException {
        Path tree = Files.isSymbolicLink(link) ? Files.readSymbolicLink(link) : link;
        if (Files.exists(tree)) {
            deleteTree(tree);
        }
        Files.deleteIfExists(link);
    }

    private static void deleteTree(Path tree) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> found = Files.walk(tree)) {
            deepestFirst = found.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.delete(path);
        }
    }
}
