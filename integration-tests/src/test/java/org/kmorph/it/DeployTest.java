// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bundles that come into a running daemon, by the directory and by command: whole and good ones, and all others. */
class DeployTest {
    private static final int CUT = 4 << 10;

    private Kmorph kmorph;
    private Path workshop;

    @BeforeEach
    void start() throws IOException {
        kmorph = Kmorph.unpack();
        kmorph.configure("org.kmorph.deploy.cfg", "poll.ms = 50");
        kmorph.start();
        workshop = Files.createDirectories(kmorph.home().getParent().resolve("work shop"));
    }

    @AfterEach
    void remove() {
        kmorph.remove();
    }

    private Path jar(String name) {
        return workshop.resolve(name);
    }

    /** As people do it who have been told how: a file appears in {@code deploy/} whole. */
    private Path drop(Path jar) throws IOException {
        Path target = kmorph.home().resolve("deploy").resolve(jar.getFileName());
        return Files.move(jar, target, StandardCopyOption.ATOMIC_MOVE);
    }

    private List<Map<String, Object>> rows() {
        return kmorph.ctl("bundle", "list", "-o", "json").ok().jsonRows();
    }

    private Optional<Map<String, Object>> row(String name) {
        return rows().stream()
                .filter(row -> row.get("symbolic_name").equals(name))
                .findFirst();
    }

    private String version() {
        return row(TestBundle.NAME)
                .map(row -> String.valueOf(row.get("version")))
                .orElse("none");
    }

    private void awaitVersion(String version) {
        Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(version())
                .isEqualTo(version));
    }

    private void awaitRefusal(Path dropped, String why) {
        Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(
                        row(dropped.getFileName().toString()))
                .hasValueSatisfying(row -> {
                    assertThat(row).containsEntry("state", "REFUSED");
                    assertThat(String.valueOf(row.get("problem"))).contains(why);
                }));
    }

    @Test
    void aDroppedBundleBringsItsCommandToAllDoorsAndTakesItAway() throws IOException {
        Path dropped = drop(TestBundle.working(jar("greet-1.jar"), "1.0.0"));
        awaitVersion("1.0.0");
        assertThat(kmorph.ctl("greet").ok().out()).isEqualTo("greetings\n");
        assertThat(SshClient.as(kmorph, "viewer", "victor")
                        .run("", "greet")
                        .ok()
                        .out())
                .isEqualTo("greetings\n");
        assertThat(kmorph.ctl("help").ok().out()).contains("greet");
        Files.delete(dropped);
        awaitVersion("none");
        assertThat(kmorph.ctl("greet").status()).isEqualTo(2);
    }

    @Test
    void whatIsInTheDirectoryIsThereAgainAfterARestartAndGoesWithItsFile() throws IOException {
        Path dropped = drop(TestBundle.working(jar("greet-1.jar"), "1.0.0"));
        awaitVersion("1.0.0");
        kmorph.kill();
        kmorph.start();
        awaitVersion("1.0.0");
        Files.delete(dropped);
        awaitVersion("none");
    }

    /** The component that watches the directory is itself replaced: what its predecessor deployed is still known by its file. */
    @Test
    void anUpdateOfTheDeployerKeepsWhatWasDeployed() throws IOException {
        Path dropped = drop(TestBundle.working(jar("greet-1.jar"), "1.0.0"));
        awaitVersion("1.0.0");
        Object id = row(TestBundle.NAME).orElseThrow().get("id");
        kmorph.ctl(
                        "bundle",
                        "update",
                        Jars.withVersion(Jars.ours(kmorph, "deploy"), "0.1.0.u1", jar("deploy.jar"))
                                .toString())
                .ok();
        drop(TestBundle.unresolvable(jar("later.jar"), "3.0.0"));
        awaitRefusal(Path.of("later.jar"), "no.such.place");
        assertThat(row("greet-1.jar")).isEmpty();
        assertThat(row(TestBundle.NAME).orElseThrow()).containsEntry("id", id);
        Files.delete(dropped);
        awaitVersion("none");
    }

    @Test
    void aJarCutAtAnyBlockNeverInstalls() throws IOException {
        byte[] whole = Files.readAllBytes(TestBundle.working(jar("whole.jar"), "1.0.0", 150_000));
        assertThat(whole.length).isGreaterThan(150_000);
        for (int length = 0; length < whole.length; length += CUT) {
            Path cut = Files.write(jar("cut.jar"), Arrays.copyOf(whole, length));
            Result result = kmorph.ctl("bundle", "install", cut.toString());
            assertThat(result.status()).as("cut at %d", length).isEqualTo(1);
            assertThat(result.err()).contains(cut.toString()).contains("is not a whole jar");
            Files.copy(cut, kmorph.home().resolve("deploy/cut-" + length + ".jar"));
        }
        for (int length = 0; length < whole.length; length += CUT) {
            awaitRefusal(Path.of("cut-" + length + ".jar"), "is not a whole jar");
        }
        assertThat(version()).isEqualTo("none");
        assertThat(kmorph.home().resolve("cache")).isDirectoryNotContaining("glob:**/staged-*");
    }

    @Test
    void aJarThatIsStillCopiedIsTakenWhenItIsWhole() throws IOException {
        byte[] whole = Files.readAllBytes(TestBundle.working(jar("whole.jar"), "1.0.0", 50_000));
        Path slow = kmorph.home().resolve("deploy/slow.jar");
        Files.write(slow, Arrays.copyOf(whole, whole.length / 2));
        awaitRefusal(slow, "is not a whole jar");
        try (OutputStream rest = Files.newOutputStream(slow, StandardOpenOption.APPEND)) {
            rest.write(whole, whole.length / 2, whole.length - whole.length / 2);
        }
        awaitVersion("1.0.0");
        assertThat(row("slow.jar")).isEmpty();
    }

    @Test
    void aFlippedBitIsSeen() throws IOException {
        byte[] whole = Files.readAllBytes(TestBundle.working(jar("whole.jar"), "1.0.0", 20_000));
        byte[] flipped = whole.clone();
        flipped[whole.length - 10_000] ^= 4; // within the ballast, which no class loader ever reads
        Result result = kmorph.ctl(
                "bundle", "install", Files.write(jar("flipped.jar"), flipped).toString());
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("flipped.jar is not a whole jar");
        assertThat(version()).isEqualTo("none");
    }

    @Test
    void whatDoesNotResolveChangesNothingAndSaysWhy() {
        kmorph.ctl(
                        "bundle",
                        "install",
                        TestBundle.working(jar("1.jar"), "1.0.0").toString())
                .ok();
        Result result = kmorph.ctl(
                "bundle",
                "update",
                TestBundle.unresolvable(jar("2.jar"), "2.0.0").toString());
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("does not resolve").contains("no.such.place");
        assertThat(version()).isEqualTo("1.0.0");
        kmorph.ctl("greet").ok();
    }

    @Test
    void whatDoesNotBecomeHealthyGivesWayToTheOldOne() {
        kmorph.ctl(
                        "bundle",
                        "install",
                        TestBundle.working(jar("1.jar"), "1.0.0").toString())
                .ok();
        Result result = kmorph.ctl(
                "bundle", "update", TestBundle.failing(jar("2.jar"), "2.0.0").toString());
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err())
                .contains("did not become healthy within 10 s")
                .contains("the moon is not full")
                .contains("version 1.0.0 stays");
        assertThat(version()).isEqualTo("1.0.0");
        kmorph.ctl("greet").ok();
    }

    @Test
    void whatWasInstalledByCommandSurvivesARestartAndCanBeTakenOut() {
        kmorph.ctl(
                        "bundle",
                        "install",
                        TestBundle.working(jar("1.jar"), "1.0.0").toString())
                .ok();
        kmorph.kill();
        kmorph.start();
        kmorph.ctl("greet").ok();
        kmorph.ctl("bundle", "update", TestBundle.working(jar("2.jar"), "2.0.0").toString())
                .ok();
        assertThat(version()).isEqualTo("2.0.0");
        kmorph.ctl("bundle", "uninstall", TestBundle.NAME).ok();
        kmorph.kill();
        kmorph.start();
        assertThat(version()).isEqualTo("none");
    }

    @Test
    void thePlatformIsNotChangedLive() {
        for (String name : List.of("org.jline", "org.kmorph.native")) {
            Result result = kmorph.ctl("bundle", "uninstall", name);
            assertThat(result.status()).as(name).isEqualTo(1);
            assertThat(result.err()).contains("part of the platform").contains("restart");
        }
    }

    @Test
    void signaturesAreRequiredWhereTheConfigurationSaysSo() throws IOException {
        kmorph.configure("org.kmorph.deploy.cfg", "require.signed = true");
        kmorph.ctl("daemon", "reload").ok();
        Path unsigned = TestBundle.working(jar("unsigned.jar"), "1.0.0");
        Result result = kmorph.ctl("bundle", "install", unsigned.toString());
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("unsigned.jar is not signed").contains("jarsigner");

        Path signed = TestBundle.working(jar("signed.jar"), "1.0.0");
        Path certificate = sign(signed);
        Result stranger = kmorph.ctl("bundle", "install", signed.toString());
        assertThat(stranger.err()).contains("signed, but by nobody whose certificate is in");

        Path trusted = Files.createDirectories(kmorph.home().resolve("etc/trusted"));
        Files.copy(certificate, trusted.resolve("signer.pem"));
        kmorph.ctl("bundle", "install", signed.toString()).ok();
        assertThat(version()).isEqualTo("1.0.0");
    }

    /** With a key of its own. @return its certificate */
    private Path sign(Path jar) {
        Path store = jar("keys.p12");
        Path certificate = jar("signer.pem");
        String password = "a test's";
        Programs.run(
                        workshop,
                        Map.of(),
                        "",
                        List.of(
                                "keytool",
                                "-genkeypair",
                                "-alias",
                                "k",
                                "-keyalg",
                                "EC",
                                "-dname",
                                "CN=test",
                                "-keystore",
                                store.toString(),
                                "-storepass",
                                password))
                .ok();
        Programs.run(
                        workshop,
                        Map.of(),
                        "",
                        List.of(
                                "keytool",
                                "-exportcert",
                                "-rfc",
                                "-alias",
                                "k",
                                "-keystore",
                                store.toString(),
                                "-storepass",
                                password,
                                "-file",
                                certificate.toString()))
                .ok();
        Programs.run(
                        workshop,
                        Map.of(),
                        "",
                        List.of(
                                "jarsigner",
                                "-keystore",
                                store.toString(),
                                "-storepass",
                                password,
                                jar.toString(),
                                "k"))
                .ok();
        return certificate;
    }
}
