// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What kill -9 cannot show: that an append is on the disk, not only with the kernel. strace shows the order of writes and
 * fsyncs as the kernel saw them.
 */
class SyncTest {
    /** As {@code strace -y} prints a call: name, descriptor, path of the descriptor. */
    private static final Pattern CALL =
            Pattern.compile("\\b(pwrite64|write|fsync|fdatasync|rename)\\((?:\\d+<([^>]*)>|\"([^\"]*)\")");

    @TempDir
    Path scratch;

    @TempDir
    Path directory;

    @Test
    void allThatAnAppendWroteIsSyncedWhenItReturns() throws Exception {
        List<String> trace = trace();
        Set<String> unsynced = new HashSet<>();
        Set<String> everSynced = new HashSet<>();
        int acknowledgements = 0;
        boolean walWritten = false;
        for (String line : trace) {
            Matcher call = CALL.matcher(line);
            if (!call.find()) {
                continue;
            }
            String path = call.group(2) != null ? call.group(2) : call.group(3);
            switch (call.group(1)) {
                case "fsync", "fdatasync" -> {
                    unsynced.remove(path);
                    everSynced.add(path);
                }
                case "rename" -> {
                    assertThat(everSynced)
                            .as("a file is whole before it gets its name")
                            .contains(path);
                    unsynced.add(Path.of(path).getParent().toString());
                }
                default -> {
                    if (path.endsWith(SyncVictim.ACKNOWLEDGEMENTS)) {
                        acknowledgements++;
                        assertThat(walWritten)
                                .as("append %d wrote something", acknowledgements)
                                .isTrue();
                        assertThat(unsynced)
                                .as("unsynced when append %d returned", acknowledgements)
                                .isEmpty();
                        walWritten = false;
                    } else if (path.contains("/journal.db") && !path.endsWith("-shm")) {
                        walWritten |= path.endsWith("/journal.db-wal");
                        unsynced.add(path);
                    }
                }
            }
        }
        assertThat(acknowledgements).isEqualTo(SyncVictim.APPENDS);
        // the names of the new directory, the new file and its new log
        assertThat(everSynced)
                .contains(directory.toString(), directory.resolve("journal").toString());
    }

    private List<String> trace() throws Exception {
        Path trace = scratch.resolve("trace");
        List<String> command = new ArrayList<>(List.of(
                "strace", "-f", "-y", "-e", "trace=pwrite64,write,fsync,fdatasync,rename", "-o", trace.toString()));
        command.addAll(new ChildJvm(scratch).command(SyncVictim.class, directory.toString()));
        Process process = new ProcessBuilder(command).inheritIO().start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends in time").isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue())
                .as("strace may trace (kernel.yama.ptrace_scope, seccomp)")
                .isZero();
        return Files.readAllLines(trace);
    }
}
