// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** The real OpenSSH client, with a configuration of its own, and keys made by the real ssh-keygen. */
final class SshClient {
    record Result(int status, String out, String err) {}

    private final Path directory;
    private final int port;
    private final List<Process> started = new CopyOnWriteArrayList<>();

    SshClient(Path directory, int port) {
        this.directory = directory;
        this.port = port;
    }

    /** Ends what a failed test has left running. */
    void close() {
        started.forEach(Process::destroyForcibly);
    }

    /** Makes a key pair; the answer is the public half, without options. */
    static String keygen(Path directory, String name, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "ssh-keygen",
                "-q",
                "-N",
                "",
                "-C",
                name,
                "-f",
                directory.resolve(name).toString()));
        command.addAll(options.length == 0 ? List.of("-t", "ed25519") : List.of(options));
        Result made = finish(new ProcessBuilder(command).start(), "");
        assertThat(made.status()).as(made.err()).isZero();
        return Files.readString(directory.resolve(name + ".pub")).strip();
    }

    /** What is called: the client with a key and further words (options, then the command). */
    List<String> command(String key, String... words) {
        return command(List.of("-i", directory.resolve(key).toString()), words);
    }

    List<String> command(List<String> options, String... words) {
        List<String> command = new ArrayList<>(List.of(
                "ssh",
                "-F",
                "none",
                "-p",
                Integer.toString(port),
                "-o",
                "BatchMode=yes",
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "IdentityAgent=none",
                "-o",
                "StrictHostKeyChecking=accept-new",
                "-o",
                "UserKnownHostsFile=" + directory.resolve("known_hosts"),
                "-o",
                "ConnectTimeout=15"));
        command.addAll(options);
        command.add("127.0.0.1");
        command.addAll(List.of(words));
        return command;
    }

    Result run(String key, String... words) throws IOException, InterruptedException {
        return finish(start(key, words), "");
    }

    Result runWithInput(String key, String input, String... words) throws IOException, InterruptedException {
        return finish(start(key, words), input);
    }

    Result runWithOptions(List<String> options, String... words) throws IOException, InterruptedException {
        return finish(new ProcessBuilder(command(options, words)).start(), "");
    }

    Process start(String key, String... words) throws IOException {
        Process process = new ProcessBuilder(command(key, words)).start();
        started.add(process);
        return process;
    }

    /** A person at a terminal, see terminal.py. */
    Result atTerminal(String key, List<String> words, String... steps) throws IOException, InterruptedException {
        Path script = directory.resolve("terminal.py");
        try (InputStream in = SshClient.class.getResourceAsStream("terminal.py")) {
            Files.write(script, in.readAllBytes());
        }
        List<String> ssh =
                command(List.of("-tt", "-i", directory.resolve(key).toString()), words.toArray(String[]::new));
        List<String> command = new ArrayList<>(List.of("python3", script.toString()));
        command.addAll(ssh);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("TERM", "xterm-256color");
        return finish(builder.start(), String.join("\n", steps));
    }

    static Result finish(Process process, String input) throws IOException, InterruptedException {
        try (var out = process.getOutputStream()) {
            out.write(input.getBytes(UTF_8));
        } catch (IOException e) {
            // it may end without reading
            assertThat(e).hasMessageContaining("Broken pipe");
        }
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), UTF_8);
        return new Result(process.waitFor(), out, err);
    }
}
