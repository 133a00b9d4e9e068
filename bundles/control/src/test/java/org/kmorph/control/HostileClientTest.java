// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that do not keep to the protocol: each gets an answer or is closed, and the door serves the next. */
@Timeout(60)
class HostileClientTest {
    private static final int UNREACHABLE = 8;

    private TestDoor door;

    @BeforeEach
    void openDoor() throws IOException {
        door = TestDoor.open();
    }

    @AfterEach
    void doorStillServesAndEnds() throws IOException {
        try (RawClient next = RawClient.started(door.socket, "echo", "on")) {
            assertThat(next.last().orElseThrow().type()).isEqualTo(RawClient.EXIT);
        } finally {
            door.close();
        }
    }

    private static ByteBuffer header(int type, int length) {
        return ByteBuffer.allocate(5).put((byte) type).putInt(length).flip();
    }

    static Stream<Map.Entry<String, byte[]>> malformed() {
        byte[] notUtf8 = {(byte) 0xc3, 0x28};
        byte[] relative = "tmp".getBytes(StandardCharsets.UTF_8);
        return Stream.of(
                Map.entry("frame type 0x47", "GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)),
                Map.entry("frame type 0x82", RawClient.frame(0x82, (byte) 1)),
                Map.entry("65536 are allowed", header(1, 65_537).array()),
                Map.entry("4294967295 bytes", header(2, -1).array()),
                Map.entry("before START", RawClient.frame(5)),
                Map.entry("version 1", RawClient.frame(1, (byte) 0, (byte) 2)),
                Map.entry("version 1 ", RawClient.frame(1)),
                Map.entry("no working directory", RawClient.frame(1, (byte) 0, (byte) 1)),
                Map.entry("inside a field", RawClient.frame(1, (byte) 0, (byte) 1, (byte) 1, (byte) 0)),
                Map.entry("says 9 bytes", RawClient.frame(1, (byte) 0, (byte) 1, (byte) 1, (byte) 0, (byte) 9)),
                Map.entry("no absolute path", start(RawClient.field(2, relative))),
                Map.entry("empty flags", start(RawClient.field(4, new byte[0]))),
                Map.entry("a window size of 3", start(RawClient.field(5, new byte[3]))),
                Map.entry("more than 64 bytes", start(RawClient.field(3, new byte[65]))),
                Map.entry("word 1 is not UTF-8", start(RawClient.field(1, notUtf8))),
                Map.entry("null character", start(RawClient.field(1, new byte[1]))),
                Map.entry("more than 1024 words", RawClient.frame(1, RawClient.start(words(1025)))));
    }

    private static byte[] start(byte[] field) {
        byte[] start = RawClient.start();
        byte[] both = Arrays.copyOf(start, start.length + field.length);
        System.arraycopy(field, 0, both, start.length, field.length);
        return RawClient.frame(1, both);
    }

    private static String[] words(int count) {
        String[] words = new String[count];
        Arrays.fill(words, "w");
        return words;
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void whatIsNoRequestIsAnsweredAndClosed(Map.Entry<String, byte[]> request) throws IOException {
        try (RawClient client = RawClient.greeted(door.socket)) {
            client.send(request.getValue());
            RawClient.Received last = client.last().orElseThrow();
            assertThat(last.type()).isEqualTo(RawClient.ERROR);
            assertThat(last.sentence()).contains(request.getKey().strip());
        }
    }

    @Test
    void garbageOfAnyKindIsClosed() throws IOException {
        Random random = new Random(20);
        for (int i = 0; i < 200; i++) {
            byte[] garbage = new byte[1 + random.nextInt(300)];
            random.nextBytes(garbage);
            garbage[0] = (byte) (6 + random.nextInt(250));
            try (RawClient client = RawClient.greeted(door.socket)) {
                client.send(garbage);
                assertThat(client.last().orElseThrow().payload()[0]).isEqualTo((byte) UNREACHABLE);
            }
        }
    }

    @Test
    void unknownFieldsOfLaterClientsArePassedOver() throws IOException {
        byte[] start = RawClient.start("exit", "7");
        byte[] later = RawClient.field(200, new byte[10]);
        byte[] both = Arrays.copyOf(start, start.length + later.length);
        System.arraycopy(later, 0, both, start.length, later.length);
        try (RawClient client = RawClient.greeted(door.socket)) {
            client.send(RawClient.frame(1, both));
            assertThat(client.last().orElseThrow().payload()).containsExactly(7);
        }
    }

    @Test
    void silentClientIsClosedAtTheDeadline() throws IOException {
        try (RawClient client = RawClient.greeted(door.socket)) {
            assertThat(client.last().orElseThrow().sentence()).contains("no request came within 300 ms");
        }
    }

    @Test
    void halfARequestIsClosedAtTheDeadline() throws IOException {
        byte[] whole = RawClient.frame(1, RawClient.start("exit", "0"));
        for (int cut = 1; cut < whole.length; cut += 5) {
            try (RawClient client = RawClient.greeted(door.socket)) {
                client.send(Arrays.copyOf(whole, cut));
                assertThat(client.last().orElseThrow().sentence()).contains("did not become whole");
            }
        }
    }

    @Test
    void requestByteByByteIsServed() throws IOException {
        try (RawClient client = RawClient.greeted(door.socket)) {
            for (byte b : RawClient.frame(1, RawClient.start("exit", "3"))) {
                client.send(new byte[] {b});
            }
            assertThat(client.last().orElseThrow().payload()).containsExactly(3);
        }
    }

    @Test
    void halfAFrameDuringACommandCancelsItAtTheDeadline() throws IOException {
        try (RawClient client = RawClient.started(door.socket, "hold")) {
            assertThat(client.receive().type()).isEqualTo(RawClient.STDOUT);
            client.send(new byte[] {4, 0, 0});
            assertThat(client.last().orElseThrow().sentence()).contains("did not become whole");
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> door.commands.cancelled.contains("hold"));
    }

    @Test
    void waitingCommandHasNoDeadline() throws IOException {
        try (RawClient client = RawClient.started(door.socket, "step")) {
            client.receive();
            // another client comes in, stays silent and is thrown out: the deadline has passed for both
            try (RawClient other = RawClient.greeted(door.socket)) {
                assertThat(other.last()).isPresent();
            }
            door.commands.go.countDown();
            assertThat(client.last().orElseThrow().payload()).containsExactly(0);
        }
    }

    @Test
    void secondRequestOnOneConnectionIsRefused() throws IOException {
        try (RawClient client = RawClient.started(door.socket, "hold")) {
            client.send(RawClient.frame(1, RawClient.start("hold")));
            assertThat(client.last().orElseThrow().sentence()).contains("second START");
        }
    }

    @Test
    void inputWithoutCreditIsRefused() throws IOException {
        try (RawClient client = RawClient.started(door.socket, "hold")) {
            client.send(RawClient.frame(2, (byte) 'x'));
            assertThat(client.last().orElseThrow().sentence()).contains("credit for 0");
        }
    }

    @Test
    void creditComesWhenTheCommandReadsAndNotMoreThanTheWindow() throws IOException {
        try (RawClient client = RawClient.started(door.socket, "cat")) {
            RawClient.Received credit = client.receive();
            assertThat(credit.type()).isEqualTo(RawClient.CREDIT);
            assertThat(ByteBuffer.wrap(credit.payload()).getInt()).isEqualTo(65_536);
            client.send(RawClient.frame(2, new byte[65_536]));
            client.send(RawClient.frame(3));
            assertThat(client.last().orElseThrow().type()).isEqualTo(RawClient.EXIT);
        }
    }

    @Test
    void halfClosedConnectionCounts() throws IOException {
        try (RawClient client = RawClient.started(door.socket, "hold")) {
            client.receive();
            client.shutdownOutput();
            await().atMost(Duration.ofSeconds(10)).until(() -> door.commands.cancelled.contains("hold"));
        }
    }

    @Test
    void floodOfWindowChangesIsFollowedToTheLast() throws IOException {
        byte[] request = RawClient.start("windows");
        byte[] flags = RawClient.field(4, new byte[] {2});
        byte[] both = Arrays.copyOf(request, request.length + flags.length);
        System.arraycopy(flags, 0, both, request.length, flags.length);
        try (RawClient client = RawClient.greeted(door.socket)) {
            client.send(RawClient.frame(1, both));
            client.receive();
            byte[] many = new byte[9 * 2000];
            for (int i = 0; i < 2000; i++) {
                System.arraycopy(
                        RawClient.frame(4, (byte) 0, (byte) 9, (byte) 0, (byte) (i % 50 + 2)), 0, many, 9 * i, 9);
            }
            for (int i = 0; i < 20; i++) {
                client.send(many);
            }
            client.send(RawClient.frame(4, (byte) 0, (byte) 1, (byte) 0, (byte) 1));
            assertThat(client.last().orElseThrow().payload()).containsExactly(0);
        }
    }

    @Test
    void floodOfCancelsHarmsOnlyItsOwnCommand() throws IOException {
        byte[] many = new byte[5 * 10_000];
        for (int i = 0; i < 10_000; i++) {
            System.arraycopy(RawClient.frame(5), 0, many, 5 * i, 5);
        }
        for (int i = 0; i < 20; i++) {
            try (RawClient client = RawClient.started(door.socket, "hold")) {
                client.send(many);
                assertThat(client.last().orElseThrow().type()).isIn(RawClient.EXIT, RawClient.ERROR);
            } catch (IOException e) {
                // the command ended and the door closed before all of them were sent
                assertThat(e).hasMessageMatching("(?i).*(broken pipe|reset).*");
            }
            try (RawClient next = RawClient.started(door.socket, "exit", "0")) {
                assertThat(next.last().orElseThrow().payload()).containsExactly(0);
            }
        }
    }

    @Test
    void clientBeyondTheLimitIsToldSoAndServedLater() throws IOException {
        try (TestDoor small = new TestDoor(Files.createTempDirectory("kmorph-door"), 3)) {
            List<RawClient> inside = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                RawClient client = RawClient.started(small.socket, "hold");
                client.receive();
                inside.add(client);
            }
            try (RawClient fourth = RawClient.greeted(small.socket)) {
                RawClient.Received answer = fourth.last().orElseThrow();
                assertThat(answer.payload()[0]).isEqualTo((byte) UNREACHABLE);
                assertThat(answer.sentence())
                        .contains("serves 3 clients already")
                        .contains("max.connections");
            }
            inside.remove(0).close();
            await().atMost(Duration.ofSeconds(10)).until(() -> {
                try (RawClient next = RawClient.started(small.socket, "exit", "0")) {
                    return next.last().orElseThrow().type() == RawClient.EXIT;
                } catch (IOException e) {
                    return false; // refused while it was asking
                }
            });
            for (RawClient client : inside) {
                client.close();
            }
        }
    }

    @Test
    void detachedCommandKeepsItsPlaceInTheLimit() throws Exception {
        try (TestDoor small = new TestDoor(Files.createTempDirectory("kmorph-door"), 1)) {
            try (RawClient client = RawClient.started(small.socket, "detached")) {
                client.receive();
            }
            try (RawClient next = RawClient.greeted(small.socket)) {
                assertThat(next.last().orElseThrow().sentence()).contains("serves 1 clients already");
            }
            small.commands.go.countDown();
            assertThat(small.commands.awaitDetached(10)).isTrue();
        }
    }

    @Test
    void thousandClientsThatLeaveAtOnceLeaveNothingBehind() throws IOException {
        for (int i = 0; i < 1000; i++) {
            new RawClient(door.socket).close();
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> {
            try (RawClient next = RawClient.started(door.socket, "exit", "0")) {
                return next.last().orElseThrow().type() == RawClient.EXIT;
            } catch (IOException e) {
                return false; // refused while it was asking
            }
        });
    }
}
