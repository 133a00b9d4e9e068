// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real programs. */
class HooksTest {
    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();

    private Path program(String name, String body, String mode) throws IOException {
        Path file = Files.createDirectories(directory.resolve("hooks.d")).resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    private Hooks hooks(Duration atMost, int waiting) {
        return new Hooks(directory.resolve("hooks.d"), directory, atMost, waiting, time);
    }

    private static Event event(String by) {
        return Event.test(by, Instant.EPOCH);
    }

    private static void awaitEnd(Hooks hooks, long delivered, long failed) {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> hooks.status().delivered() == delivered
                        && hooks.status().failed() == failed);
    }

    @Test
    void eachProgramGetsTheEventInTheOrderOfTheNames() throws Exception {
        Path out = directory.resolve("out");
        program("20-second", "echo second $KMORPH_EVENT >>" + out, "rwxr-xr-x");
        program("10-first", "cat >>" + out + "; echo >>" + out, "rwx------");
        program("30-not-executable", "echo no >>" + out, "rw-r--r--");
        program("40-backup~", "echo no >>" + out, "rwxr-xr-x");
        try (Hooks hooks = hooks(Duration.ofSeconds(10), 10)) {
            hooks.take(event("a"));
            awaitEnd(hooks, 2, 0);
        }
        assertThat(Files.readAllLines(out))
                .hasSize(2)
                .first()
                .asString()
                .startsWith("{")
                .contains("\"by\":\"a\"");
        assertThat(Files.readAllLines(out).get(1)).isEqualTo("second test");
        assertThat(directory.resolve("hook-input.json")).doesNotExist();
    }

    @Test
    void whatFailsIsSaidWithItsLastWords() throws Exception {
        program("broken", "echo no such table >&2; exit 3", "rwxr-xr-x");
        try (Hooks hooks = hooks(Duration.ofSeconds(10), 10)) {
            hooks.take(event("a"));
            awaitEnd(hooks, 0, 1);
            assertThat(hooks.status().problem().get()).endsWith("/broken ended with status 3: no such table");
        }
    }

    @Test
    void whatDoesNotEndIsKilledWithWhatItStarted() throws Exception {
        Path pid = directory.resolve("pid");
        program("stuck", "sleep 1000 & echo $! >" + pid + "; wait", "rwxr-xr-x");
        try (Hooks hooks = hooks(Duration.ofSeconds(1), 10)) {
            hooks.take(event("a"));
            awaitEnd(hooks, 0, 1);
            assertThat(hooks.status().problem().get()).endsWith("/stuck did not end within 1 s and was killed");
        }
        long child = Long.parseLong(Files.readString(pid).strip());
        await().atMost(Duration.ofSeconds(10))
                .until(() ->
                        ProcessHandle.of(child).filter(ProcessHandle::isAlive).isEmpty());
    }

    @Test
    void oneThatSaysMuchAndReadsNothingHarmsNobody() throws Exception {
        program("loud", "yes | head -c 5000000; exit 1", "rwxr-xr-x");
        try (Hooks hooks = hooks(Duration.ofSeconds(10), 10)) {
            hooks.take(event("x".repeat(1_000_000)));
            awaitEnd(hooks, 0, 1);
            assertThat(hooks.status().problem().get().length()).isLessThan(5000);
        }
    }

    @Test
    void oneThatOthersMayWriteIsNotRun() throws Exception {
        Path out = directory.resolve("out");
        program("open", "echo ran >" + out, "rwxrwxr-x");
        try (Hooks hooks = hooks(Duration.ofSeconds(10), 10)) {
            hooks.take(event("a"));
            awaitEnd(hooks, 0, 1);
            assertThat(hooks.status().problem().get())
                    .endsWith("may be written by others than its owner; chmod go-w it");
        }
        assertThat(out).doesNotExist();
    }

    @Test
    void moreThanMayWaitIsDroppedAndCounted() throws Exception {
        Path gate = directory.resolve("gate");
        program("slow", "while [ ! -e " + gate + " ]; do sleep 0.01; done", "rwxr-xr-x");
        try (Hooks hooks = hooks(Duration.ofSeconds(20), 2)) {
            hooks.take(event("runs"));
            await().until(() -> hooks.status().waiting() == 0);
            hooks.take(event("waits"));
            hooks.take(event("waits too"));
            hooks.take(event("is dropped"));
            assertThat(hooks.status().dropped()).isEqualTo(1);
            Files.createFile(gate);
            awaitEnd(hooks, 3, 0);
        }
    }

    @Test
    void withoutADirectoryThereIsNothingToDo() throws Exception {
        try (Hooks hooks = hooks(Duration.ofSeconds(1), 1)) {
            hooks.take(event("a"));
            await().until(() -> hooks.status().waiting() == 0);
            assertThat(hooks.status().failed()).isZero();
        }
    }
}
