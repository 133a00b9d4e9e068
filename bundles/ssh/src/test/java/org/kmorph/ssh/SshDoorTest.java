// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.ssh.SshClient.Result;

/** The door as its callers find it, through the real ssh client. */
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SshDoorTest {
    private static final Duration RETRY = Duration.ofMillis(100);

    private static final Duration LONGEST_SILENCE = Duration.ofMillis(500);

    /** A machine that others use too stands still now and then, and not each time. */
    private static final int ROUNDS = 3;

    @TempDir
    Path directory;

    private final TestEngine engine = new TestEngine();
    private final List<SshDoor> doors = new ArrayList<>();
    private Path keys;
    private SshSettings settings;
    private SshClient ssh;

    @BeforeEach
    void openDoor() throws IOException, InterruptedException {
        keys = directory.resolve("authorized_keys");
        Files.writeString(
                keys,
                "# people\n"
                        + "role=\"viewer\" " + SshClient.keygen(directory, "vera") + "\n"
                        + "role=\"operator\" " + SshClient.keygen(directory, "otto") + "\n"
                        + "role=\"admin\" " + SshClient.keygen(directory, "ada") + "\n"
                        + SshClient.keygen(directory, "norole") + "\n");
        SshClient.keygen(directory, "stranger");
        settings = new SshSettings(
                "127.0.0.1",
                freePort(),
                keys,
                directory.resolve("host_key"),
                16,
                8,
                Duration.ofSeconds(30),
                6,
                Duration.ofSeconds(600),
                Duration.ofSeconds(5));
        ssh = new SshClient(directory, settings.port());
        open(settings, false);
    }

    @AfterEach
    void closeDoors() {
        engine.finish.countDown();
        ssh.close();
        doors.forEach(door -> door.close(Duration.ZERO, "the test is over"));
    }

    @Test
    void execDeliversOutputMessagesAndStatusApart() throws Exception {
        assertThat(ssh.run("otto", "list", "-o", "json")).satisfies(done -> {
            assertThat(done.status()).isZero();
            assertThat(done.out()).isEqualTo("web RUNNING\n");
            assertThat(done.err()).endsWith("1 instance\n");
        });
        assertThat(ssh.run("otto", "status", "nobody").status()).isEqualTo(4);
    }

    @Test
    void standardInputReachesTheCommandWhole() throws Exception {
        String much = "0123456789abcdef".repeat(200_000);
        Process cat = ssh.start("otto", "cat");
        Thread writer = new Thread(() -> {
            try (var out = cat.getOutputStream()) {
                out.write(much.getBytes(UTF_8));
            } catch (IOException e) {
                engine.events.add(e.toString());
            }
        });
        writer.start();
        assertThat(new String(cat.getInputStream().readAllBytes(), UTF_8)).isEqualTo(much);
        writer.join();
        assertThat(cat.waitFor()).isZero();
    }

    @Test
    void quotingKeepsWordsTogetherAndNothingElseIsTakenFromTheShell() throws Exception {
        assertThat(ssh.run("vera", "words 'a  b' \"c d\" e\\ f").out()).isEqualTo("[words]\n[a  b]\n[c d]\n[e f]\n");
        Result piped = ssh.run("vera", "list | words");
        assertThat(piped.status()).isEqualTo(2);
        assertThat(piped.err()).contains("the character | means something to a shell");
    }

    @Test
    void adminsLinesAreScripts() throws Exception {
        assertThat(ssh.run("ada", "list | grep web").out()).isEqualTo("script ssh: list | grep web\n");
        assertThat(ssh.run("ada", "fail").status()).isEqualTo(7);
        assertThat(ssh.runWithInput("ada", "list; list\n").out()).isEqualTo("script stdin: list; list\n");
    }

    @Test
    void callerIsNamedByHisKeyAndNotByHisLogin() throws Exception {
        Result me = ssh.runWithOptions(
                List.of("-l", "root", "-i", directory.resolve("vera").toString()), "whoami");
        assertThat(me.out()).matches("vera VIEWER SSH 127\\.0\\.0\\.1:\\d+ SHA256:\\S{43}\n");
    }

    @Test
    void viewerCannotRunAnAdminsCommand() throws Exception {
        Result denied = ssh.run("vera", "bundle", "install", "x.jar");
        assertThat(denied.status()).isEqualTo(5);
        assertThat(denied.err()).contains("needs the role admin");
    }

    @Test
    void keysWithoutRoleAndStrangersAndPasswordsAreRefused() throws Exception {
        for (String key : List.of("norole", "stranger")) {
            Result refused = ssh.run(key, "list");
            assertThat(refused.status()).isEqualTo(255);
            assertThat(refused.err()).contains("Permission denied (publickey)");
        }
        Result password = ssh.runWithOptions(
                List.of(
                        "-o",
                        "PubkeyAuthentication=no",
                        "-o",
                        "PreferredAuthentications=password,keyboard-interactive,none"),
                "list");
        assertThat(password.status()).isEqualTo(255);
        assertThat(password.err()).contains("Permission denied (publickey)");
    }

    @Test
    void changedKeysCountAtOnce() throws Exception {
        assertThat(ssh.run("stranger", "list").status()).isEqualTo(255);
        Files.writeString(keys, "role=\"viewer\" " + Files.readString(directory.resolve("stranger.pub")));
        assertThat(ssh.run("stranger", "list").status()).isZero();
        assertThat(ssh.run("otto", "list").status()).isEqualTo(255);
    }

    @Test
    void roleTakenAwayCountsForTheNextCommandOfAnOpenConnection() throws Exception {
        Path control = directory.resolve("ctl");
        List<String> shared = List.of("-i", directory.resolve("otto").toString(), "-o", "ControlPath=" + control);
        List<String> open = new ArrayList<>(shared);
        open.addAll(List.of("-o", "ControlMaster=yes", "-o", "ControlPersist=yes"));
        Result first = SshClient.finish(
                new ProcessBuilder(ssh.command(open, "whoami"))
                        .redirectError(directory.resolve("err").toFile())
                        .start(),
                "");
        assertThat(first.out()).startsWith("otto OPERATOR");
        Files.writeString(keys, "role=\"viewer\" " + Files.readString(directory.resolve("otto.pub")));
        assertThat(ssh.runWithOptions(shared, "whoami").out()).startsWith("otto VIEWER");
        Files.writeString(keys, "# nobody\n");
        Result none = ssh.runWithOptions(shared, "whoami");
        assertThat(none.status()).isEqualTo(5);
        ssh.runWithOptions(List.of("-o", "ControlPath=" + control, "-O", "exit"));
    }

    @Test
    void keysThatOthersMayWriteToLetNobodyIn() throws Exception {
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-rw-r--"));
        assertThat(ssh.run("otto", "list").status()).isEqualTo(255);
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(ssh.run("otto", "list").status()).isZero();
    }

    @Test
    void hostKeyIsOwnersAloneAndTheSameAfterARestart() throws Exception {
        assertThat(ssh.run("otto", "list").status()).isZero();
        Path hostKey = settings.hostKey();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(hostKey)))
                .isEqualTo("rw-------");
        String known = Files.readString(directory.resolve("known_hosts"));
        assertThat(known).contains("ssh-ed25519").hasLineCount(1);
        byte[] before = Files.readAllBytes(hostKey);
        doors.remove(0).close(Duration.ZERO, "restart");
        open(settings, false);
        assertThat(ssh.run("otto", "list").status()).isZero();
        assertThat(Files.readAllBytes(hostKey)).isEqualTo(before);
        assertThat(Files.readString(directory.resolve("known_hosts"))).isEqualTo(known);
    }

    @Test
    void spoiledHostKeyIsAnErrorUntilAPersonDecides() throws Exception {
        doors.remove(0).close(Duration.ZERO, "restart");
        Files.writeString(settings.hostKey(), "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n");
        SshDoor door = start(settings, false);
        await().until(() -> door.complaint().contains("put back a copy, or remove it"));
        assertThat(Files.readString(settings.hostKey())).contains("AAAA\n");
        Files.delete(settings.hostKey());
        await().until(() -> door.port().isPresent());
        assertThat(ssh.run("otto", "list").status()).isZero();
    }

    @Test
    void busyPortIsToldAndTakenWhenItIsFree() throws Exception {
        doors.remove(0).close(Duration.ZERO, "restart");
        SshDoor door;
        try (ServerSocket other = new ServerSocket(settings.port(), 5, InetAddress.getLoopbackAddress())) {
            door = start(settings, false);
            await().until(() -> door.complaint().contains("SSH cannot listen on 127.0.0.1:" + other.getLocalPort()));
        }
        await().until(() -> door.port().isPresent());
        assertThat(ssh.run("otto", "list").status()).isZero();
    }

    @Test
    void secondDaemonDoesNotShareThePort() {
        SshDoor second = start(settings, false);
        await().until(() -> second.complaint().contains("Address already in use"));
    }

    @Test
    void terminalHasTypeSizeLinesAndStatus() throws Exception {
        Result shell = ssh.atTerminal(
                "ada",
                List.of(),
                "size 100 30",
                "expect shell of ada on xterm-256color",
                "size 90 20",
                "expect now 90x20",
                "type helli\\x7fo\\xc3\\xa4\\x7f\\r",
                "expect <hello>",
                "type raw\\r",
                "expect key?",
                "type \\x03",
                "expect key 3",
                "type exit\\r",
                "end");
        assertThat(shell.status()).as(shell.out()).isZero();
    }

    @Test
    void endOfFileEndsTheShell() throws Exception {
        Result shell = ssh.atTerminal("vera", List.of(), "expect shell of vera", "type \\x04", "end");
        assertThat(shell.status()).as(shell.out()).isZero();
    }

    @Test
    void controlCCancelsACommandOnATerminal() throws Exception {
        Result held = ssh.atTerminal(
                "otto", List.of("hold"), "expect holding", "type \\x03", "expect nothing was changed", "end");
        assertThat(held.status()).as(held.out()).isEqualTo(1);
        assertThat(engine.events).containsExactly("cancelled");
    }

    @Test
    void closedClientCancelsWhatItStarted() throws Exception {
        Process held = ssh.start("otto", "hold");
        assertThat(held.inputReader(UTF_8).readLine()).isEqualTo("holding");
        held.destroyForcibly();
        await().until(() -> engine.events.contains("cancelled"));
    }

    @Test
    void detachedCommandSurvivesItsClient() throws Exception {
        Process held = ssh.start("otto", "detach");
        assertThat(held.inputReader(UTF_8).readLine()).isEqualTo("holding");
        held.destroyForcibly();
        held.waitFor();
        assertThat(ssh.run("otto", "list").status()).isZero();
        engine.finish.countDown();
        await().until(() -> !engine.events.isEmpty());
        assertThat(engine.events).containsExactly("finished");
    }

    @Test
    void idleSessionIsClosedButARunningCommandIsNot() throws Exception {
        doors.remove(0).close(Duration.ZERO, "restart");
        open(with(16, 8, Duration.ofSeconds(30), Duration.ofSeconds(2)), false);
        Process held = ssh.start("otto", "hold");
        assertThat(held.inputReader(UTF_8).readLine()).isEqualTo("holding");
        Result idle = ssh.atTerminal("ada", List.of(), "expect shell of ada", "end");
        assertThat(idle.status()).isEqualTo(255);
        assertThat(idle.out()).contains("closed after 2 s without a byte");
        assertThat(held.isAlive()).isTrue();
        engine.finish.countDown();
        assertThat(held.waitFor()).isZero();
    }

    @Test
    void sessionOverTheLimitIsToldSo() throws Exception {
        doors.remove(0).close(Duration.ZERO, "restart");
        open(with(2, 8, Duration.ofSeconds(30), Duration.ofSeconds(600)), false);
        Process first = ssh.start("otto", "hold");
        assertThat(first.inputReader(UTF_8).readLine()).isEqualTo("holding");
        Process second = ssh.start("vera", "hold");
        assertThat(second.inputReader(UTF_8).readLine()).isEqualTo("holding");
        Result third = ssh.run("ada", "list");
        assertThat(third.status()).isEqualTo(255);
        assertThat(third.err()).contains("2 sessions are open, which is the limit");
        engine.finish.countDown();
        assertThat(first.waitFor()).isZero();
        assertThat(second.waitFor()).isZero();
        await().untilAsserted(() -> assertThat(ssh.run("ada", "list").status()).isZero());
    }

    @Test
    void connectionsThatDoNotLogInAreFewAndShortLived() throws Exception {
        doors.remove(0).close(Duration.ZERO, "restart");
        open(with(16, 2, Duration.ofSeconds(2), Duration.ofSeconds(600)), false);
        try (Socket first = connect();
                Socket second = connect()) {
            assertThat(first.getInputStream().read()).isEqualTo('S');
            assertThat(second.getInputStream().read()).isEqualTo('S');
            try (Socket third = connect()) {
                assertThat(third.getInputStream().readAllBytes()).isEmpty();
            }
            // the two are let go of after the login grace time
            first.getInputStream().readAllBytes();
            second.getInputStream().readAllBytes();
        }
        assertThat(ssh.run("otto", "list").status()).isZero();
    }

    @Test
    void keysBeyondTheAllowedTriesEndTheConnection() throws Exception {
        List<String> options = new ArrayList<>();
        for (int i = 0; i < 14; i++) {
            SshClient.keygen(directory, "wrong" + i);
            options.addAll(List.of("-i", directory.resolve("wrong" + i).toString()));
        }
        options.addAll(List.of("-i", directory.resolve("otto").toString()));
        Result tooMany = ssh.runWithOptions(options, "list");
        assertThat(tooMany.status()).isEqualTo(255);
        assertThat(tooMany.err()).contains("Too many authentication");
    }

    @Test
    void nothingIsForwardedAndNoFilesAreServed() throws Exception {
        List<String> key = List.of("-i", directory.resolve("ada").toString());
        List<String> through = new ArrayList<>(key);
        through.addAll(List.of("-W", "127.0.0.1:" + settings.port()));
        assertThat(ssh.runWithOptions(through).status()).isEqualTo(255);
        List<String> back = new ArrayList<>(key);
        back.addAll(List.of("-o", "ExitOnForwardFailure=yes", "-N", "-R", "0:127.0.0.1:22"));
        assertThat(ssh.runWithOptions(back).status()).isEqualTo(255);
        List<String> sftp = new ArrayList<>(key);
        sftp.add("-s");
        assertThat(ssh.runWithOptions(sftp, "sftp").err()).contains("subsystem request failed");
    }

    @Test
    void outdatedAlgorithmsAreRefused() throws Exception {
        String key = directory.resolve("otto").toString();
        for (String outdated : List.of(
                "KexAlgorithms=diffie-hellman-group14-sha256",
                "Ciphers=aes128-cbc",
                "MACs=hmac-sha1",
                "HostKeyAlgorithms=rsa-sha2-512")) {
            // the authenticated ciphers need no MAC
            Result refused = ssh.runWithOptions(
                    List.of(
                            "-i",
                            key,
                            "-o",
                            outdated,
                            "-o",
                            outdated.startsWith("MAC") ? "Ciphers=aes128-ctr" : "Compression=no"),
                    "list");
            assertThat(refused.err()).contains("no matching");
        }
        for (String modern : List.of(
                "KexAlgorithms=curve25519-sha256",
                "KexAlgorithms=sntrup761x25519-sha512@openssh.com",
                "KexAlgorithms=ecdh-sha2-nistp256",
                "Ciphers=chacha20-poly1305@openssh.com",
                "Ciphers=aes256-gcm@openssh.com",
                "Ciphers=aes256-ctr")) {
            assertThat(ssh.runWithOptions(List.of("-i", key, "-o", modern), "list")
                            .status())
                    .as(modern)
                    .isZero();
        }
    }

    @Test
    void everyKindOfModernKeyOpens() throws Exception {
        Files.writeString(
                keys,
                "role=\"viewer\" " + SshClient.keygen(directory, "p256", "-t", "ecdsa", "-b", "256")
                        + "\nrole=\"viewer\" "
                        + SshClient.keygen(directory, "rsa", "-t", "rsa", "-b", "3072") + "\nrole=\"viewer\" "
                        + SshClient.keygen(directory, "short", "-t", "rsa", "-b", "2048") + "\n");
        assertThat(ssh.run("p256", "list"))
                .satisfies(done -> assertThat(done.status()).as(done.err()).isZero());
        assertThat(ssh.run("rsa", "list"))
                .satisfies(done -> assertThat(done.status()).as(done.err()).isZero());
        assertThat(ssh.run("short", "list").status()).isEqualTo(255);
    }

    @Test
    void successorTakesOverWithoutASilentDoorOrACutCommand() throws Exception {
        Process held = ssh.start("otto", "hold");
        assertThat(held.inputReader(UTF_8).readLine()).isEqualTo("holding");
        AtomicBoolean knocking = new AtomicBoolean(true);
        AtomicInteger knocks = new AtomicInteger();
        AtomicLong worst = new AtomicLong();
        List<String> refused = java.util.Collections.synchronizedList(new ArrayList<>());
        Thread caller = new Thread(() -> {
            long answered = System.nanoTime();
            while (knocking.get()) {
                try (Socket socket = connect()) {
                    if (socket.getInputStream().read() == 'S') {
                        long now = System.nanoTime();
                        worst.accumulateAndGet(now - answered, Math::max);
                        answered = now;
                        knocks.incrementAndGet();
                    }
                } catch (IOException e) {
                    refused.add(e.toString());
                }
            }
        });
        caller.start();
        Duration longest = LONGEST_SILENCE;
        for (int round = 0; round < ROUNDS && longest.compareTo(LONGEST_SILENCE) >= 0; round++) {
            worst.set(0);
            swap(5, knocks);
            longest = Duration.ofNanos(worst.get());
            System.out.println("worst gap between two answers over 5 swaps: " + longest.toMillis() + " ms, "
                    + knocks.get() + " answers, refused: " + refused);
        }
        knocking.set(false);
        caller.join();
        assertThat(held.waitFor()).isZero();
        assertThat(ssh.run("otto", "list").status()).isZero();
        // who is in the queue of the old socket in the moment in which it closes; the port itself is always somebody's
        assertThat(refused).hasSizeLessThan(knocks.get() / 100).allSatisfy(why -> assertThat(why)
                .contains("Connection reset"));
        assertThat(longest).isLessThan(LONGEST_SILENCE);
    }

    /** The command that is held may end with the first of the doors, its own. */
    private void swap(int times, AtomicInteger knocks) throws Exception {
        for (int i = 0; i < times; i++) {
            SshDoor old = doors.remove(0);
            open(settings, true);
            engine.finish.countDown();
            old.close(Duration.ofSeconds(20), "this SSH door is being replaced");
            int seen = knocks.get();
            await().until(() -> knocks.get() > seen + 3);
        }
    }

    @Test
    void personInTheShellIsToldBeforeTheOldDoorCloses() throws Exception {
        AtomicInteger status = new AtomicInteger(-1);
        List<String> shown = new ArrayList<>();
        Thread person = new Thread(() -> {
            try {
                Result result = ssh.atTerminal("ada", List.of(), "expect shell of ada", "type ready\\r", "end");
                shown.add(result.out());
                status.set(result.status());
            } catch (IOException | InterruptedException e) {
                shown.add(e.toString());
            }
        });
        person.start();
        await().until(() -> engine.events.contains("shell"));
        doors.remove(0).close(Duration.ofSeconds(1), "this SSH door is being replaced, connect again");
        person.join();
        assertThat(shown.get(0))
                .contains("kmorph: this SSH door is being replaced, connect again; this session ends in 1 s");
        assertThat(status.get()).isNotZero();
    }

    @Test
    void changedSettingsLeaveThoseWhoAreConnectedAlone() throws Exception {
        Process held = ssh.start("otto", "hold");
        assertThat(held.inputReader(UTF_8).readLine()).isEqualTo("holding");
        int other = freePort();
        doors.get(0)
                .open(
                        new SshSettings(
                                "127.0.0.1",
                                other,
                                settings.authorizedKeys(),
                                settings.hostKey(),
                                16,
                                8,
                                Duration.ofSeconds(30),
                                6,
                                Duration.ofSeconds(600),
                                Duration.ofSeconds(5)),
                        () -> false);
        await().until(() -> doors.get(0).port().filter(port -> port == other).isPresent());
        assertThat(new SshClient(directory, other).run("vera", "list").status()).isZero();
        assertThat(ssh.run("vera", "list").err()).contains("Connection refused");
        engine.finish.countDown();
        assertThat(held.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(held.exitValue()).isZero();
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), settings.port());
        socket.setSoTimeout(30_000);
        return socket;
    }

    private SshSettings with(int sessions, int unauthenticated, Duration grace, Duration idle) {
        return new SshSettings(
                settings.host(),
                settings.port(),
                settings.authorizedKeys(),
                settings.hostKey(),
                sessions,
                unauthenticated,
                grace,
                6,
                idle,
                settings.drain());
    }

    private SshDoor start(SshSettings with, boolean predecessor) {
        SshDoor door = new SshDoor(engine.engine(), RETRY);
        doors.add(door);
        door.open(with, () -> predecessor);
        return door;
    }

    private void open(SshSettings with, boolean predecessor) {
        SshDoor door = start(with, predecessor);
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(
                        () -> assertThat(door.port()).as(door.complaint()).isPresent());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
