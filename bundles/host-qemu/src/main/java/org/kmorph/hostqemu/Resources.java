// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.kmorph.api.host.HostException;

/**
 * What this machine has for others.
 *
 * @param program QEMU's, a path or a name
 */
record Resources(String program) {
    private static final long MIB = 1L << 20;
    private static final long DEFAULT_MEMORY = 256 * MIB;

    /** A kernel of Debian's panics with less. */
    private static final long LEAST_MEMORY = 128 * MIB;

    /** What QEMU takes besides the machine's own memory. */
    private static final long OVERHEAD = 96 * MIB;

    /** QEMU's program. */
    Path qemu() throws HostException {
        Stream<Path> places = program.contains("/")
                ? Stream.of(Path.of(program))
                : Stream.of(Optional.ofNullable(System.getenv("PATH"))
                                .orElse("/usr/bin")
                                .split(":"))
                        .map(directory -> Path.of(directory, program));
        return places.filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new HostException("there is no QEMU: " + program
                        + " was not found; install it (apt-get install qemu-system-x86), or name it by qemu= in"
                        + " etc/org.kmorph.host-qemu.cfg"));
    }

    /** How much memory a machine gets, if this one has it. */
    long memory(Optional<Long> asked) throws HostException {
        long wanted = asked.orElse(DEFAULT_MEMORY);
        if (wanted < LEAST_MEMORY) {
            throw new HostException("--memory is " + wanted / MIB + " MiB; a kernel needs at least "
                    + LEAST_MEMORY / MIB + " MiB to boot");
        }
        long bytes = wanted / (2 * MIB) * (2 * MIB);
        long available = available();
        if (bytes + OVERHEAD > available) {
            throw new HostException(
                    "a machine of " + bytes / MIB + " MiB takes " + (bytes + OVERHEAD) / MIB + " MiB, and this one has "
                            + available / MIB + " MiB available; give --memory=SIZE, or end something");
        }
        return bytes;
    }

    /** MemAvailable of proc(5). */
    private static long available() throws HostException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            return lines.filter(line -> line.startsWith("MemAvailable:"))
                    .map(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
        } catch (IOException e) {
            throw new HostException("/proc/meminfo cannot be read: " + e.getMessage(), e);
        }
    }

    /** Whether the memory's file has its place on the disk: a hole that cannot be filled later ends the machine. */
    void space(Path directory, long bytes) throws HostException {
        try {
            long usable = Files.getFileStore(directory).getUsableSpace();
            if (usable < bytes) {
                throw new HostException("a machine's memory of " + bytes / MIB + " MiB is kept in " + directory
                        + ", where " + usable / MIB + " MiB are free");
            }
        } catch (IOException e) {
            throw new HostException(directory + " cannot be examined: " + e.getMessage(), e);
        }
    }
}
