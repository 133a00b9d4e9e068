// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The real kmorphctl in a process of its own, on pipes or on a pseudo-terminal. */
final class Client implements AutoCloseable {
    private static final Duration ENOUGH = Duration.ofSeconds(20);
    private static final Path MODULE =
            Path.of("../../kmorphctl").toAbsolutePath().normalize();
    private static final Path BINARY = MODULE.resolve("target/kmorphctl");

    private final Process process;
    private final Gather out;
    private final Gather err;

    private Client(ProcessBuilder builder) throws IOException {
        process = builder.start();
        out = new Gather(process.getInputStream());
        err = new Gather(process.getErrorStream());
    }

    static Client run(Path socket, String... words) throws IOException {
        return new Client(new ProcessBuilder(command(socket, words)));
    }

    /** On a terminal of 24 by 80; drive it with {@link #type}. */
    static Client onTerminal(Path socket, String... words) throws IOException {
        List<String> command = new ArrayList<>(
                List.of("python3", "-B", MODULE.resolve("tests/pty_drive.py").toString(), "24", "80"));
        command.addAll(command(socket, words));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("TERM", "xterm-256color");
        builder.environment().remove("NO_COLOR");
        return new Client(builder);
    }

    /** Runs a script in which {@code "$CTL" "$DOOR"} is the client with its option for the socket. */
    static Client shell(Path socket, String script) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", script);
        builder.environment().putAll(Map.of("CTL", BINARY.toString(), "DOOR", "--socket=" + socket));
        return new Client(builder);
    }

    private static List<String> command(Path socket, String... words) {
        List<String> command = new ArrayList<>(List.of(BINARY.toString(), "--socket=" + socket));
        command.addAll(List.of(words));
        return command;
    }

    /** Writes to its standard input; on a terminal a line of pty_drive.py. */
    Client type(String text) throws IOException {
        OutputStream in = process.getOutputStream();
        in.write(text.getBytes(StandardCharsets.UTF_8));
        in.flush();
        return this;
    }

    void endInput() throws IOException {
        process.getOutputStream().close();
    }

    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                .start()
                .waitFor();
    }

    Client awaitOut(String text) {
        return awaitText(text, this::out);
    }

    Client awaitErr(String text) {
        return awaitText(text, this::err);
    }

    private Client awaitText(String text, Supplier<String> from) {
        await("\"" + text + "\"")
                .atMost(ENOUGH)
                .pollInterval(Duration.ofMillis(5))
                .until(from::get, s -> s.contains(text));
        return this;
    }

    String out() {
        return out.text();
    }

    String err() {
        return err.text();
    }

    /** The exit code, when all output is there. */
    int exit() throws InterruptedException {
        if (!process.waitFor(ENOUGH.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the client does not end; it said: " + out() + err());
        }
        out.join();
        err.join();
        return process.exitValue();
    }

    boolean alive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    private static final class Gather extends Thread {
        private final InputStream from;
        private final ByteArrayOutputStream all = new ByteArrayOutputStream();

        Gather(InputStream from) {
            this.from = from;
            setDaemon(true);
            start();
        }

        @Override
        public void run() {
            try {
                from.transferTo(all);
            } catch (IOException e) {
                // the process is gone
            }
        }

        String text() {
            return all.toString(StandardCharsets.UTF_8);
        }
    }
}
