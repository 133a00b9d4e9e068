// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/**
 * Events that wait for a receiver, each a file of a directory whose name is its place in the order. One is on disk when it has been
 * added; when there is no room, the oldest goes. Thread-safe.
 */
final class Spool {
    private static final String SUFFIX = ".json";

    private final Path directory;
    private final int most;
    private final Deque<Long> numbers = new ArrayDeque<>();
    private long next;

    /**
     * Finds what is there.
     *
     * @param directory is made when it is not there
     * @param most how many may wait, at least 1
     */
    Spool(Path directory, int most) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.most = most;
        List<Path> found;
        try (Stream<Path> files = Files.list(directory)) {
            found = files.sorted().toList();
        }
        for (Path file : found) {
            String name = file.getFileName().toString();
            if (name.matches("[0-9]{19}" + SUFFIX)) {
                numbers.add(Long.parseLong(name.substring(0, 19)));
            } else {
                Files.delete(file); // half written when the daemon was killed
            }
        }
        next = numbers.isEmpty() ? 0 : numbers.getLast() + 1;
    }

    /** Adds one. @return how many older ones had to go for it */
    synchronized int add(byte[] event) throws IOException {
        int gone = 0;
        while (numbers.size() >= most) {
            Files.deleteIfExists(file(numbers.removeFirst()));
            gone++;
        }
        Path half = directory.resolve("half");
        try (FileChannel channel = FileChannel.open(
                half, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(event);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(half, file(next), StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
        numbers.add(next++);
        notifyAll();
        return gone;
    }

    /** Waits until there is one. @return the oldest's number, which stays until it is removed */
    synchronized long awaitOldest() throws InterruptedException {
        while (numbers.isEmpty()) {
            wait();
        }
        return numbers.getFirst();
    }

    /** @throws java.nio.file.NoSuchFileException when it has gone meanwhile, for there was no room */
    byte[] read(long number) throws IOException {
        return Files.readAllBytes(file(number));
    }

    synchronized void remove(long number) throws IOException {
        if (numbers.removeFirstOccurrence(number)) {
            Files.deleteIfExists(file(number));
        }
    }

    synchronized int size() {
        return numbers.size();
    }

    private Path file(long number) {
        return directory.resolve("%019d%s".formatted(number, SUFFIX));
    }
}
