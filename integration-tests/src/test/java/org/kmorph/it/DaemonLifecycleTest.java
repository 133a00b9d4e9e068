// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Starting, stopping and failing to start, as a person meets it. */
class DaemonLifecycleTest {
    private Kmorph kmorph;

    @BeforeEach
    void unpack() {
        kmorph = Kmorph.unpack();
    }

    @AfterEach
    void remove() {
        kmorph.remove();
    }

    @Test
    void startAndStopMayBeRepeated() {
        assertThat(kmorph.start().out()).contains("running (pid ");
        long pid = kmorph.pid();
        assertThat(kmorph.start().out()).contains("already running");
        assertThat(kmorph.pid()).isEqualTo(pid);
        kmorph.ctl("daemon", "status").ok();
        kmorph.ctl("daemon", "stop").ok();
        assertThat(Programs.runs(pid)).isFalse();
        kmorph.ctl("daemon", "stop").ok();
        assertThat(kmorph.ctl("daemon", "status").status()).isEqualTo(3);
        assertThat(kmorph.log().lines().filter(line -> line.contains(" ERROR ")))
                .isEmpty();
    }

    @Test
    void nothingRunningIsSaidWithItsOwnExitCode() {
        Result result = kmorph.ctl("bundle", "list");
        assertThat(result.status()).isEqualTo(8);
        assertThat(result.err()).contains("daemon start");
    }

    @Test
    void directoriesAreWhereTheConfigurationSaysAndPrivate() throws IOException {
        Path elsewhere = Files.createDirectories(kmorph.home().getParent().resolve("else where"));
        Path config = elsewhere.resolve("kmorphd.conf");
        Programs.run(elsewhere, Map.of(), "", List.of("cp", "-R", kmorph.home() + "/etc/.", elsewhere.toString()))
                .ok();
        String own = "";
        for (String name : List.of("state", "cache", "log", "run", "deploy")) {
            own += name + " = " + elsewhere + "/" + name + "\n";
        }
        Files.writeString(config, own);
        kmorph.ctl("daemon", "start", "--config=" + config).ok();
        Map<String, String> there = Map.of("KMORPH_SOCKET", elsewhere + "/run/control.sock");
        try {
            assertThat(kmorph.home())
                    .satisfies(home -> assertThat(home.resolve("state")).doesNotExist());
            assertThat(mode(elsewhere.resolve("state"))).isEqualTo("rwx------");
            assertThat(mode(elsewhere.resolve("run"))).isEqualTo("rwxr-x---");
            assertThat(elsewhere.resolve("log/kmorphd.log")).isNotEmptyFile();
            kmorph.ctlWith(there, "", "daemon", "status").ok();
        } finally {
            kmorph.ctlWith(there, "", "daemon", "stop").ok();
        }
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Test
    void aKilledDaemonLeavesNothingInTheWay() {
        kmorph.start();
        long first = kmorph.pid();
        kmorph.kill();
        assertThat(kmorph.ctl("bundle", "list").status()).isEqualTo(8);
        kmorph.start();
        assertThat(kmorph.pid()).isNotEqualTo(first);
        kmorph.ctl("daemon", "status").ok();
    }

    @ParameterizedTest
    @ValueSource(strings = {"state", "cache"})
    void twoDaemonsNeverShareADirectoryOfTheirOwn(String shared) throws IOException {
        kmorph.start();
        Path other = kmorph.home().resolve("etc/other.conf");
        String own = shared.equals("state") ? "cache" : "state";
        Files.writeString(other, "run = ${home}/other-run\n" + own + " = ${home}/other-" + own + "\n");
        Result second = kmorph.ctl("daemon", "start", "--config=" + other);
        assertThat(second.status()).isEqualTo(1);
        assertThat(second.err())
                .contains("another kmorphd (pid " + kmorph.pid() + ") works on "
                        + kmorph.home().resolve(shared));
        kmorph.ctl("daemon", "status").ok();
    }

    @Test
    void aSocketInOtherHandsIsNamed() throws IOException {
        Path run = Files.createDirectories(kmorph.home().resolve("run"));
        try (ServerSocketChannel squatter = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            squatter.bind(UnixDomainSocketAddress.of(run.resolve("control.sock")));
            kmorph.configure("kmorphd.conf", "start.timeout = 5");
            Result result = kmorph.ctl("daemon", "start");
            assertThat(result.status()).isEqualTo(1);
            assertThat(result.err()).contains("control.sock");
        }
        Files.deleteIfExists(run.resolve("control.sock"));
    }

    @Test
    void anUnknownSettingIsNamedWithItsLine() {
        kmorph.configure("kmorphd.conf", "sate = /tmp");
        Result result = kmorph.ctl("daemon", "start");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err())
                .contains("kmorphd.conf, line ")
                .contains("\"sate = /tmp\"")
                .contains("state");
    }

    @Test
    void aFullDiskIsSaidAtTheStart() throws IOException {
        try (SmallDisk disk = SmallDisk.ofKilobytes(512)) {
            kmorph.configure("kmorphd.conf", "state = " + disk.path());
            Result result = kmorph.ctl("daemon", "start");
            assertThat(result.status()).isEqualTo(1);
            assertThat(result.err()).contains(disk.path().toString()).contains("KiB of room left");
        }
    }

    @Test
    void aMissingRightIsNamed() {
        Unprivileged nobody = Unprivileged.user(kmorph);
        Result result = nobody.run(kmorph.home().resolve("bin/kmorphd").toString(), "start");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("cannot make").contains("start as a user who may");
    }

    @Test
    void anOldJavaIsRefusedByName() throws IOException {
        Path java =
                Files.createDirectories(kmorph.home().resolve("java 11/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\nexit 1\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(java.getParent().resolveSibling("release"), "JAVA_VERSION=\"11.0.2\"\n");
        Map<String, String> environment =
                Map.of("JAVA_HOME", java.getParent().getParent().toString());
        Result result = kmorph.ctlWith(environment, "", "daemon", "start");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("is Java 11").contains("needs Java 17");
    }
}
