// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A program of {@code etc/hooks.d}. It gets one event as a line of JSON on its standard input, and ends with status 0 when it has dealt
 * with it. Its environment is {@code PATH}, {@code KMORPH_EVENT} (the kind) and {@code KMORPH_INSTANCE}.
 *
 * @param file absolute
 */
record HookProgram(Path file) {
    private static final Logger LOG = LoggerFactory.getLogger(HookProgram.class);

    private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /** So much of what it says is kept, in bytes. */
    private static final int MOST_OUTPUT = 4096;

    private static final Duration LAST_WORDS = Duration.ofMillis(200);

    /** Why it must not be run: who else may write it could do all that the daemon may. */
    Optional<String> unfit() {
        try {
            PosixFileAttributes attributes = Files.readAttributes(file, PosixFileAttributes.class);
            Set<PosixFilePermission> mode = attributes.permissions();
            if (mode.contains(PosixFilePermission.GROUP_WRITE) || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
                return Optional.of(file + " may be written by others than its owner; chmod go-w it");
            }
            String owner = attributes.owner().getName();
            String self = System.getProperty("user.name");
            if (!owner.equals("root") && !owner.equals(self)) {
                return Optional.of(file + " belongs to " + owner + "; it must belong to root or " + self);
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(file + " cannot be looked at: " + e.getMessage());
        }
    }

    /**
     * Runs it to its end, and kills it and what it has started when it does not end in time.
     *
     * @param input a file with the event
     * @return what went wrong, for people
     */
    Optional<String> run(Event event, Path input, Duration atMost) throws InterruptedException {
        Process process;
        try {
            process = start(event, input);
        } catch (IOException e) {
            return Optional.of(file + " cannot be run: " + e.getMessage());
        }
        try {
            Said said = new Said(process.getInputStream());
            if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
                return Optional.of(file + " did not end within " + atMost.toSeconds() + " s and was killed");
            }
            int status = process.exitValue();
            return status == 0
                    ? Optional.empty()
                    : Optional.of(file + " ended with status " + status
                            + said.text().map(": "::concat).orElse(""));
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private Process start(Event event, Path input) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(file.toString())
                .directory(Path.of("/").toFile())
                .redirectInput(input.toFile())
                .redirectErrorStream(true);
        builder.environment().clear();
        builder.environment()
                .putAll(Map.of("PATH", PATH, "KMORPH_EVENT", event.kind(), "KMORPH_INSTANCE", event.instance()));
        return builder.start();
    }

    /** What a program says, read as long as it says something, kept up to {@link #MOST_OUTPUT}. */
    private static final class Said {
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private final Thread reader;

        Said(InputStream output) {
            reader = new DaemonThreads("kmorph-hook-output").newThread(() -> read(output));
            reader.start();
        }

        private void read(InputStream output) {
            byte[] buffer = new byte[MOST_OUTPUT];
            try (output) {
                for (int read = output.read(buffer); read >= 0; read = output.read(buffer)) {
                    synchronized (kept) {
                        kept.write(buffer, 0, Math.min(read, MOST_OUTPUT - kept.size()));
                    }
                }
            } catch (IOException e) {
                LOG.debug("the output of a hook ended", e);
            }
        }

        /** So far; something that it has started may hold the pipe for ever, so the end is waited for shortly. */
        Optional<String> text() throws InterruptedException {
            reader.join(LAST_WORDS.toMillis());
            synchronized (kept) {
                String text = kept.toString(StandardCharsets.UTF_8).strip();
                return text.isEmpty() ? Optional.empty() : Optional.of(text);
            }
        }
    }
}
