// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A copy of the assembled distribution in a directory of its own, with a space in its path, as a user unpacks it. As an extension
 * it is made and its daemon started before all tests of a class, and stopped and deleted after them.
 */
public final class Kmorph implements BeforeAllCallback, AfterAllCallback, AutoCloseable {
    private Path home;

    /** Copies the distribution; SSH gets a free port. */
    public static Kmorph unpack() {
        Kmorph kmorph = new Kmorph();
        try {
            kmorph.home = Files.createTempDirectory("kmorph it ").resolve("kmorph");
            Programs.run(
                            kmorph.home.getParent(),
                            Map.of(),
                            "",
                            List.of("cp", "-Rp", System.getProperty("kmorph.distribution"), kmorph.home.toString()))
                    .ok();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        kmorph.configure("org.kmorph.ssh.cfg", "port = 0");
        return kmorph;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        home = unpack().home;
        start();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        remove();
    }

    @Override
    public void close() {
        remove();
    }

    public Path home() {
        return home;
    }

    /** Adds a line to a configuration file. */
    public void configure(String file, String line) {
        Path path = home.resolve("etc").resolve(file);
        try {
            String before = Files.exists(path) ? Files.readString(path) : "";
            Files.writeString(path, before + "\n" + line + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Result start() {
        return ctl("daemon", "start").ok();
    }

    /** Runs kmorphctl. */
    public Result ctl(String... words) {
        return ctlWith(Map.of(), "", words);
    }

    /** Runs kmorphctl with standard input and environment. */
    Result ctlWith(Map<String, String> environment, String input, String... words) {
        return run(environment, input, "bin/kmorphctl", words);
    }

    /** Runs a program of the distribution. */
    Result run(Map<String, String> environment, String input, String program, String... words) {
        List<String> all = new ArrayList<>();
        all.add(home.resolve(program).toString());
        all.addAll(Arrays.asList(words));
        return Programs.run(home, environment, input, all);
    }

    /** The process id of the daemon, from its pid file. */
    public long pid() {
        try {
            return Long.parseLong(
                    Files.readString(home.resolve("run/kmorphd.pid")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** kill -9, and waits until it is gone. */
    public void kill() {
        long pid = pid();
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> !Programs.runs(pid));
    }

    /** The daemon's log so far. */
    public String log() {
        try {
            return Files.readString(home.resolve("log/kmorphd.log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops the daemon, if it runs, and deletes everything. */
    public void remove() {
        ctl("daemon", "stop").ok();
        Programs.run(
                        Path.of("/"),
                        Map.of(),
                        "",
                        List.of("rm", "-rf", home.getParent().toString()))
                .ok();
    }
}
