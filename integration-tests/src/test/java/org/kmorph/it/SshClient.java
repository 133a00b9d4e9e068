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
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** The OpenSSH client with a key of its own. */
record SshClient(Kmorph kmorph, String name) {
    private static final Pattern LISTENS = Pattern.compile("SSH listens on 127\\.0\\.0\\.1:(\\d+)");

    /** A client whose key has a role. */
    static SshClient as(Kmorph kmorph, String role, String name) {
        SshClient client = stranger(kmorph, name);
        client.authorise(role);
        return client;
    }

    /** A client whose key nobody knows. */
    static SshClient stranger(Kmorph kmorph, String name) {
        SshClient client = new SshClient(kmorph, name);
        Programs.run(
                        kmorph.home(),
                        Map.of(),
                        "",
                        List.of(
                                "ssh-keygen",
                                "-q",
                                "-t",
                                "ed25519",
                                "-N",
                                "",
                                "-f",
                                client.key().toString(),
                                "-C",
                                name))
                .ok();
        return client;
    }

    private Path key() {
        return kmorph.home().resolve("key-" + name);
    }

    private void authorise(String role) {
        try {
            String line = "role=\"" + role + "\" " + Files.readString(Path.of(key() + ".pub"));
            Path file = kmorph.home().resolve("etc/authorized_keys");
            Files.writeString(file, (Files.exists(file) ? Files.readString(file) : "") + line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes the key out of the file again. */
    void revoke() {
        try {
            Path file = kmorph.home().resolve("etc/authorized_keys");
            List<String> others = Files.readAllLines(file).stream()
                    .filter(line -> !line.endsWith(" " + name))
                    .toList();
            Files.write(file, others);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs one command, or with none a script on standard input. */
    Result run(String input, String... words) {
        return Programs.run(kmorph.home(), Map.of(), input, command(List.of("-T"), words));
    }

    /** The command line that logs in. */
    List<String> command(List<String> options, String... words) {
        List<String> all = new ArrayList<>(List.of("ssh", "-F", "none", "-p", port(), "-i", key().toString()));
        for (String option : List.of(
                "BatchMode=yes",
                "IdentitiesOnly=yes",
                "IdentityAgent=none",
                "StrictHostKeyChecking=no",
                "UserKnownHostsFile=/dev/null",
                "LogLevel=ERROR")) {
            all.add("-o");
            all.add(option);
        }
        all.addAll(options);
        all.add("127.0.0.1");
        all.addAll(Arrays.asList(words));
        return all;
    }

    private String port() {
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> LISTENS.matcher(kmorph.log())
                .find());
        return LISTENS.matcher(kmorph.log())
                .results()
                .reduce((first, second) -> second)
                .map(MatchResult::group)
                .map(text -> text.substring(text.lastIndexOf(':') + 1))
                .orElseThrow();
    }
}
