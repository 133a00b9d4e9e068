// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * The daemon's directories, made and held: while one daemon has them, no other can. The lock is the operating system's, so a
 * killed daemon leaves none behind, and a process id in the file is only there to be read.
 */
final class Workplace {
    /** Below this much room no daemon is started: its journal could not be written. */
    private static final long MIN_FREE_BYTES = 8L << 20;

    private final List<FileChannel> locks;
    private final Path pidFile;

    private Workplace(List<FileChannel> locks, Path pidFile) {
        this.locks = locks;
        this.pidFile = pidFile;
    }

    static Workplace occupy(Settings settings) throws StartException {
        make(settings.state(), "rwx------");
        make(settings.cache(), "rwx------");
        make(settings.log(), "rwxr-x---");
        make(settings.run(), "rwxr-x---");
        make(settings.deploy(), "rwxr-xr-x");
        // the cache too: what it holds of others is deleted
        List<FileChannel> locks = List.of(lock(settings.state()), lock(settings.cache()));
        Path pidFile = settings.run().resolve("kmorphd.pid");
        try {
            Files.writeString(pidFile, ProcessHandle.current().pid() + "\n");
        } catch (IOException e) {
            throw failure(settings.run(), e);
        }
        return new Workplace(locks, pidFile);
    }

    private static void make(Path directory, String mode) throws StartException {
        try {
            if (!Files.isDirectory(directory)) {
                Files.createDirectories(directory);
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
            }
            if (!Files.isWritable(directory)) {
                throw new AccessDeniedException(directory.toString());
            }
            FileStore store = Files.getFileStore(directory);
            if (store.getUsableSpace() < MIN_FREE_BYTES) {
                throw new StartException(directory + " has " + (store.getUsableSpace() >> 10)
                        + " KiB of room left; kmorphd needs " + (MIN_FREE_BYTES >> 20)
                        + " MiB to start: make room, or name another directory in etc/kmorphd.conf");
            }
        } catch (IOException e) {
            throw failure(directory, e);
        }
    }

    private static FileChannel lock(Path directory) throws StartException {
        Path file = directory.resolve("lock");
        try {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock == null) {
                channel.close();
                throw new StartException(
                        "another kmorphd (pid " + Files.readString(file).strip() + ") works on " + directory
                                + "; stop it, or name another directory in etc/kmorphd.conf");
            }
            channel.truncate(0);
            channel.write(
                    StandardCharsets.US_ASCII.encode(ProcessHandle.current().pid() + "\n"));
            return channel;
        } catch (IOException e) {
            throw failure(directory, e);
        }
    }

    private static StartException failure(Path directory, IOException cause) {
        String why = cause instanceof AccessDeniedException
                ? "user " + System.getProperty("user.name")
                        + " may not write there; start as one who may, or name another"
                        + " directory in etc/kmorphd.conf"
                : cause.getMessage();
        return new StartException(directory + " cannot be used: " + why, cause);
    }

    void close() throws IOException {
        Files.deleteIfExists(pidFile);
        for (FileChannel lock : locks) {
            lock.close();
        }
    }
}
