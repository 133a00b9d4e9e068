// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs programs with a deadline. */
public final class Programs {
    /** No program of these tests takes longer unless it hangs; some boot an emulated kernel, on a machine that others use too. */
    private static final Duration DEADLINE = Duration.ofSeconds(240);

    private Programs() {}

    /** Runs it to its end. */
    public static Result run(Path directory, Map<String, String> environment, String input, List<String> words) {
        ProcessBuilder builder = new ProcessBuilder(words).directory(directory.toFile());
        builder.environment().remove("KMORPH_SOCKET");
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            CompletableFuture<String> out = drain(process.getInputStream());
            CompletableFuture<String> err = drain(process.getErrorStream());
            try (var stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // a program may end without having read its input
                if (process.isAlive() && !process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
                    throw e;
                }
            }
            if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(words + " still runs after " + DEADLINE);
            }
            return new Result(process.exitValue(), out.join(), err.join());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while running " + words, e);
        }
    }

    /** Whether a process runs; one that has ended and was not reaped yet has no command line any more (proc_pid_cmdline(5)). */
    static boolean runs(long pid) {
        try {
            return !Files.readString(Path.of("/proc/" + pid + "/cmdline")).isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    /** On a thread of its own: those of the common pool are few, and one program may run for as long as many others. */
    private static CompletableFuture<String> drain(InputStream stream) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                task -> new Thread(task, "drain").start());
    }
}
