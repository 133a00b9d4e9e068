// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person at kmorphctl gets: the real client against a real door. */
class RealClientTest {
    private TestDoor door;

    @BeforeEach
    void openDoor() throws IOException {
        door = TestDoor.open();
    }

    @AfterEach
    void closeDoor() {
        door.close();
    }

    @Test
    void wordsArriveAsTypedAndStreamsStayApart() throws Exception {
        try (Client client = Client.run(door.socket, "echo", "two words", "", "--o=ü€")) {
            assertThat(client.exit()).isZero();
            assertThat(client.out()).isEqualTo("two words||--o=ü€\n");
            assertThat(client.err()).isEqualTo("message\n");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void exitCodesComeBack(int code) throws Exception {
        try (Client client = Client.run(door.socket, "exit", Integer.toString(code))) {
            assertThat(client.exit()).isEqualTo(code);
        }
    }

    @Test
    void outputStreamsBeforeTheCommandEnds() throws Exception {
        try (Client client = Client.run(door.socket, "step")) {
            client.awaitOut("one ");
            assertThat(client.alive()).isTrue();
            door.commands.go.countDown();
            assertThat(client.exit()).isZero();
            assertThat(client.out()).isEqualTo("one two\n");
        }
    }

    @Test
    void muchInputComesBackWhole() throws Exception {
        Path file = Files.createTempFile("kmorph", ".data");
        byte[] data = new byte[3_000_017];
        new java.util.Random(7).nextBytes(data);
        Files.write(file, data);
        try (Client client =
                Client.shell(door.socket, "\"$CTL\" \"$DOOR\" cat <" + file + " | cmp - " + file + " && echo same")) {
            assertThat(client.exit()).as(client::err).isZero();
            assertThat(client.out()).isEqualTo("same\n");
            assertThat(client.err()).contains("3000017 bytes");
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void commandThatReadsNothingLeavesTheScriptItsInput() throws Exception {
        try (Client client =
                Client.shell(door.socket, "printf 'a\\nb\\n' | while read x; do \"$CTL\" \"$DOOR\" echo $x; done")) {
            assertThat(client.exit()).isZero();
            assertThat(client.out()).isEqualTo("a\nb\n");
        }
    }

    @Test
    void closedInputIsEndOfFile() throws Exception {
        try (Client client = Client.shell(door.socket, "\"$CTL\" \"$DOOR\" cat <&-")) {
            assertThat(client.exit()).isZero();
            assertThat(client.err()).isEqualTo("0 bytes\n");
        }
    }

    @Test
    void ctrlCCancelsAndTheCommandHasTheLastWord() throws Exception {
        try (Client client = Client.onTerminal(door.socket, "hold")) {
            client.awaitOut("holding").type("key 03\n").awaitErr("exit ");
            assertThat(client.out()).contains("cancelled; nothing was changed");
            assertThat(client.err()).contains("exit 1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void signalCancels(String signal) throws Exception {
        try (Client client = Client.run(door.socket, "hold")) {
            client.awaitOut("holding");
            client.signal(signal);
            assertThat(client.exit()).isEqualTo(1);
            assertThat(client.err()).isEqualTo("cancelled; nothing was changed\n");
        }
    }

    @Test
    void killedClientCancelsItsCommand() throws Exception {
        try (Client client = Client.run(door.socket, "hold")) {
            client.awaitOut("holding");
            client.signal("KILL");
            await().atMost(Duration.ofSeconds(10)).until(() -> door.commands.cancelled.contains("hold"));
        }
    }

    @Test
    void hangupCancelsTheCommand() throws Exception {
        try (Client client = Client.onTerminal(door.socket, "hold")) {
            client.awaitOut("holding").type("hangup\n").awaitErr("killed 1");
            await().atMost(Duration.ofSeconds(10)).until(() -> door.commands.cancelled.contains("hold"));
        }
    }

    @Test
    void detachedCommandOutlivesItsClient() throws Exception {
        try (Client client = Client.run(door.socket, "detached")) {
            client.awaitOut("detached");
            client.signal("KILL");
            client.exit();
            // the door has seen the client go when a connection has come and gone after it
            try (Client other = Client.run(door.socket, "exit", "0")) {
                assertThat(other.exit()).isZero();
            }
            assertThat(door.commands.detachedDone.getCount()).isOne();
            door.commands.go.countDown();
            assertThat(door.commands.awaitDetached(10)).isTrue();
        }
    }

    @Test
    void windowSizeIsKnownAndFollowed() throws Exception {
        try (Client client = Client.onTerminal(door.socket, "windows")) {
            client.awaitOut("window 24x80").type("size 50 132\n").awaitOut("window 50x132");
            client.type("size 1 1\n").awaitErr("exit 0");
        }
    }

    @Test
    void rawKeysArriveAsTypedAndTheTerminalIsPutBack() throws Exception {
        try (Client client = Client.onTerminal(door.socket, "keys")) {
            client.awaitOut("ready").type("modes\n").awaitErr("modes raw");
            client.type("key 031b0d\n").awaitOut("key 3").awaitOut("key 27").awaitOut("key 13");
            client.type("key 71\n").awaitErr("exit 0");
            assertThat(client.err()).contains("modes line\nexit 0");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 15})
    void terminalIsPutBackWhenRawClientIsKilledBySignal(int signal) throws Exception {
        try (Client client = Client.onTerminal(door.socket, "keys")) {
            client.awaitOut("ready").type("modes\n").awaitErr("modes raw");
            client.type("signal " + signal + "\n").awaitErr("modes line");
        }
    }

    @Test
    void callerIsDescribedToTheCommand() throws Exception {
        try (Client piped = Client.run(door.socket, "who");
                Client terminal = Client.onTerminal(door.socket, "who")) {
            assertThat(piped.exit()).isZero();
            assertThat(piped.out())
                    .contains("directory=" + Path.of("").toAbsolutePath())
                    .contains("terminal=none err=false");
            terminal.awaitErr("exit 0").awaitOut("terminal=xterm-256color colour=true err=true");
        }
    }

    @Test
    void readerThatHasEnoughEndsTheCommandQuietly() throws Exception {
        try (Client client = Client.shell(door.socket, "\"$CTL\" \"$DOOR\" flood | head -n 1; echo ${PIPESTATUS[0]}")) {
            assertThat(client.exit()).isZero();
            assertThat(client.out()).isEqualTo("x".repeat(63) + "\n141\n");
            assertThat(client.err()).isEmpty();
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> door.commands.cancelled.contains("flood"));
    }

    @Test
    void stuckReaderBlocksOnlyItsOwnCommandAndCanStillCancel() throws Exception {
        Path fifo = Files.createTempDirectory("kmorph").resolve("fifo");
        new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor();
        // the read end is open and nobody reads
        try (Client stuck = Client.shell(door.socket, "exec 3<>" + fifo + "; exec \"$CTL\" \"$DOOR\" flood >" + fifo)) {
            AtomicLong seen = new AtomicLong(-1);
            await().atMost(Duration.ofSeconds(20))
                    .pollInterval(Duration.ofMillis(300))
                    .until(() -> {
                        long now = door.commands.printed.get();
                        return now > 0 && seen.getAndSet(now) == now;
                    });
            assertThat(seen.get()).isLessThan(2 << 20);
            try (Client other = Client.run(door.socket, "echo", "free")) {
                assertThat(other.exit()).isZero();
                assertThat(other.out()).isEqualTo("free\n");
            }
            stuck.signal("INT");
            await().atMost(Duration.ofSeconds(10)).until(() -> door.commands.cancelled.contains("flood"));
            // whether the first of these still was within the two seconds or not, the second is
            stuck.signal("INT");
            stuck.signal("INT");
            assertThat(stuck.exit()).isEqualTo(130);
            assertThat(stuck.err()).contains("left at once");
        }
    }

    @Test
    void defectInACommandIsSaidAndTheDoorStaysOpen() throws Exception {
        try (Client broken = Client.run(door.socket, "broken");
                Client next = Client.run(door.socket, "echo", "on")) {
            assertThat(broken.exit()).isEqualTo(1);
            assertThat(broken.err()).contains("internal error").contains("a defect");
            assertThat(next.exit()).isZero();
        }
    }
}
