// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What a process holds of the kinds that transport-vsock takes, by proc(5).
 *
 * @param counters descriptors of eventfds
 * @param polls descriptors of epoll instances
 * @param sockets descriptors of sockets
 * @param links memory of links that is mapped
 * @param threads of transport-vsock
 */
record Holdings(long counters, long polls, long sockets, long links, long threads) {
    static Holdings of(long pid) {
        Path process = Path.of("/proc", Long.toString(pid));
        return new Holdings(
                descriptors(process, "anon_inode:[eventfd]"),
                descriptors(process, "anon_inode:[eventpoll]"),
                descriptors(process, "socket:["),
                links(process),
                threads(process));
    }

    /** The smaller number of each kind. */
    Holdings least(Holdings other) {
        return new Holdings(
                Math.min(counters, other.counters),
                Math.min(polls, other.polls),
                Math.min(sockets, other.sockets),
                Math.min(links, other.links),
                Math.min(threads, other.threads));
    }

    private static long descriptors(Path process, String kind) {
        return list(process.resolve("fd"))
                .map(Holdings::target)
                .filter(target -> target.startsWith(kind))
                .count();
    }

    private static long links(Path process) {
        try (Stream<String> maps = Files.lines(process.resolve("maps"))) {
            return maps.filter(line -> line.contains("/memfd:kmorph-link")).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long threads(Path process) {
        return list(process.resolve("task"))
                .map(task -> text(task.resolve("comm")))
                // names of threads are cut to 15 bytes
                .filter(name -> name.startsWith("kmorph-transpo") || name.startsWith("kmorph-vsock-ke"))
                .count();
    }

    private static Stream<Path> list(Path directory) {
        try (Stream<Path> all = Files.list(directory)) {
            return all.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Empty for one that has gone meanwhile. */
    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }
}
