// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.command.Role;

class AuthorizedKeysTest {
    @TempDir
    Path directory;

    private String alice;

    @BeforeEach
    void makeKey() throws Exception {
        alice = SshClient.keygen(directory, "alice");
    }

    @Test
    void keyHasNameAndRole() {
        AuthorizedKeys keys = parse("", "# people", "  role=\"operator\" " + alice + " of the night shift  ");
        assertThat(keys.refusals()).isEmpty();
        assertThat(keys.byFingerprint().values()).singleElement().satisfies(key -> {
            assertThat(key.name()).isEqualTo("alice of the night shift");
            assertThat(key.role()).isEqualTo(Role.OPERATOR);
        });
    }

    @Test
    void fingerprintIsTheOneThatSshKeygenPrints() throws Exception {
        Process process = new ProcessBuilder(
                        "ssh-keygen", "-lf", directory.resolve("alice.pub").toString())
                .start();
        String printed = SshClient.finish(process, "").out();
        assertThat(printed)
                .contains(parse("role=\"viewer\" " + alice)
                        .byFingerprint()
                        .keySet()
                        .iterator()
                        .next());
    }

    @Test
    void eachOtherLineIsRefusedWithItsReason() {
        String body = alice.split(" ")[1];
        refused(alice, "has no role");
        refused("role=\"root\" " + alice, "the role \"root\" is not known; expected one of viewer, operator, admin");
        refused("role=\"\" " + alice, "the role \"\" is not known");
        refused("role " + alice, "role");
        refused("role=\"viewer\" ssh-ed25519 " + body, "has no name");
        refused("role=\"viewer\",from=\"10.0.0.1\" " + alice, "the option from is not known");
        refused("restrict,role=\"viewer\" " + alice, "the option restrict is not known");
        refused("role=\"viewer\" ssh-ed25519 " + body.substring(0, 40) + " cut", "not a public key");
        refused("role=\"viewer\" ssh-ed25519 !!!! alice", "not a public key");
        refused("role=\"viewer\" ssh-dss AAAAB3NzaC1kc3M= old", "");
        refused("role=\"viewer", "not a public key");
        refused("hello", "not a public key");
        refused("\0\uFFFD\uFFFD", "not a public key");
        refused("role=\"viewer\" " + alice + "\u0007x", "control characters");
        refused("role=\"viewer\" " + alice + "x".repeat(200), "longer than 128");
    }

    @Test
    void keyThatStandsTwiceHasItsFirstRole() {
        AuthorizedKeys keys = parse("role=\"viewer\" " + alice, "role=\"admin\" " + alice);
        assertThat(keys.byFingerprint().values()).singleElement().satisfies(key -> assertThat(key.role())
                .isEqualTo(Role.VIEWER));
        assertThat(keys.refusals()).singleElement().asString().startsWith("line 2: the key stands in an earlier line");
    }

    @Test
    void badLineDoesNotSpoilTheOthers() {
        AuthorizedKeys keys = parse("nonsense", "role=\"admin\" " + alice);
        assertThat(keys.byFingerprint()).hasSize(1);
        assertThat(keys.refusals()).hasSize(1);
    }

    @Test
    void everyKindOfModernKeyIsTakenAndAShortOneIsNot() throws Exception {
        assertThat(parse(
                                "role=\"viewer\" " + SshClient.keygen(directory, "p256", "-t", "ecdsa", "-b", "256"),
                                "role=\"viewer\" " + SshClient.keygen(directory, "p384", "-t", "ecdsa", "-b", "384"),
                                "role=\"viewer\" " + SshClient.keygen(directory, "p521", "-t", "ecdsa", "-b", "521"),
                                "role=\"viewer\" " + SshClient.keygen(directory, "rsa", "-t", "rsa", "-b", "3072"))
                        .refusals())
                .isEmpty();
        refused(
                "role=\"viewer\" " + SshClient.keygen(directory, "short", "-t", "rsa", "-b", "2048"),
                "2048 bits is too short");
    }

    private static void refused(String line, String reason) {
        AuthorizedKeys keys = parse(line);
        assertThat(keys.byFingerprint()).as(line).isEmpty();
        assertThat(keys.refusals())
                .as(line)
                .singleElement()
                .asString()
                .startsWith("line 1: ")
                .contains(reason);
    }

    private static AuthorizedKeys parse(String... lines) {
        return AuthorizedKeys.parse(List.of(lines));
    }
}
