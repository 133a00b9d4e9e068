// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.kmorph.api.command.ExitCode;

@Timeout(60)
class ControlServerTest {
    @Test
    void callDuringTheReplacementOfTheEngineWaitsForTheNext() throws Exception {
        try (TestDoor door = TestDoor.open()) {
            door.runners.unset(door.commands);
            try (RawClient client = RawClient.started(door.socket, "echo", "late")) {
                door.runners.set(door.commands);
                assertThat(client.last().orElseThrow().type()).isEqualTo(RawClient.EXIT);
            }
        }
    }

    @Test
    void engineThatWasReplacedIsNotTakenAwayByItsPredecessorsEnd() throws Exception {
        Runners runners = new Runners();
        TestCommands old = new TestCommands();
        TestCommands next = new TestCommands();
        runners.set(old);
        runners.set(next);
        runners.unset(old);
        assertThat(runners.call(Duration.ZERO, engine -> engine == next ? ExitCode.DONE : ExitCode.FAILED))
                .contains(ExitCode.DONE);
        runners.unset(next);
        assertThat(runners.call(Duration.ZERO, engine -> ExitCode.DONE)).isEmpty();
    }

    @Test
    void callerWhoIsInAlreadyIsServedThoughTheOldDoorLosesItsServices() throws Exception {
        try (TestDoor door = TestDoor.open();
                RawClient client = RawClient.greeted(door.socket)) {
            TestDoor next = new TestDoor(door.socket.getParent(), 16);
            door.server.handOver(Duration.ofSeconds(30));
            door.runners.unset(door.commands);
            client.send(RawClient.frame(1, RawClient.start("exit", "2")));
            assertThat(client.last().orElseThrow().payload()).containsExactly(2);
            next.close();
        }
    }

    /** The old door must end before the new one begins, and whoever asks in between is sent to the new one. */
    @Test
    void callersBetweenTwoDoorsAskTheNext() throws Exception {
        try (TestDoor door = patient();
                RawClient before = RawClient.greeted(door.socket)) {
            door.runners.unset(door.commands);
            before.send(RawClient.frame(1, RawClient.start("exit", "2")));
            door.server.handOver(Duration.ofSeconds(30));
            door.runners.set(door.commands);
            try (RawClient between = RawClient.started(door.socket, "exit", "2");
                    Client real = Client.run(door.socket, "exit", "3");
                    TestDoor next = new TestDoor(door.socket.getParent(), 16)) {
                assertThat(next.socket).isEqualTo(door.socket);
                assertThat(before.last().orElseThrow().type()).isEqualTo(RawClient.AGAIN);
                assertThat(between.last().orElseThrow().type()).isEqualTo(RawClient.AGAIN);
                assertThat(real.exit()).isEqualTo(3);
                assertThat(door.server.awaitEnd(Duration.ofSeconds(20))).isTrue();
            }
        }
    }

    private static TestDoor patient() throws IOException {
        return new TestDoor(Files.createTempDirectory("kmorph-door"), 16, Duration.ofSeconds(30), TestDoor::admin);
    }

    @Test
    void whatRunsAtARestartIsWaitedForAndWhatWaitsIsNot() throws Exception {
        try (TestDoor door = patient();
                RawClient runs = RawClient.started(door.socket, "step")) {
            runs.receive();
            door.server.handOver(Duration.ofSeconds(30));
            try (RawClient waits = RawClient.started(door.socket, "exit", "2")) {
                assertThat(door.runners.drain(Duration.ofMillis(10))).isFalse();
                door.commands.go.countDown();
                assertThat(runs.last().orElseThrow().payload()).containsExactly(0);
                assertThat(door.runners.drain(Duration.ofSeconds(20))).isTrue();
                TestDoor next = new TestDoor(door.socket.getParent(), 16);
                assertThat(waits.last().orElseThrow().type()).isEqualTo(RawClient.AGAIN);
                next.close();
            }
        }
    }

    @Test
    void whatHasNoEndIsCancelledAtARestartAndWhatWaitsIsNot() throws Exception {
        try (TestDoor door = patient();
                RawClient runs = RawClient.started(door.socket, "hold")) {
            runs.receive();
            door.server.handOver(Duration.ofSeconds(30));
            try (RawClient waits = RawClient.started(door.socket, "exit", "2")) {
                await().atMost(Duration.ofSeconds(20)).until(() -> {
                    door.server.cutOff();
                    return door.runners.drain(Duration.ofMillis(10));
                });
                assertThat(runs.last().orElseThrow().payload()).containsExactly(1);
                TestDoor next = new TestDoor(door.socket.getParent(), 16);
                assertThat(waits.last().orElseThrow().type()).isEqualTo(RawClient.AGAIN);
                next.close();
            }
        }
    }

    @Test
    void doorThatNobodyTakesOverIsShut() throws Exception {
        try (TestDoor door = TestDoor.open()) {
            door.server.handOver(Duration.ZERO);
            await().atMost(Duration.ofSeconds(20)).until(() -> Files.notExists(door.socket));
        }
    }

    @Test
    void callerOfADoorThatIsTakenOverIsNotKept() throws Exception {
        Runners runners = new Runners();
        runners.close();
        runners.set(new TestCommands());
        assertThat(runners.call(Duration.ZERO, engine -> ExitCode.DONE)).isEmpty();
        runners.succeeded();
        assertThatThrownBy(() -> runners.call(Duration.ofDays(1), engine -> ExitCode.DONE))
                .isInstanceOf(HandedOver.class);
    }

    @Test
    void limitCanBeRaisedWhileClientsAreIn() throws IOException {
        try (TestDoor door = new TestDoor(Files.createTempDirectory("kmorph-door"), 1);
                RawClient inside = RawClient.started(door.socket, "hold")) {
            inside.receive();
            try (RawClient refused = RawClient.greeted(door.socket)) {
                assertThat(refused.last().orElseThrow().type()).isEqualTo(RawClient.ERROR);
            }
            door.server.maxConnections(2);
            try (RawClient next = RawClient.started(door.socket, "exit", "0")) {
                assertThat(next.last().orElseThrow().type()).isEqualTo(RawClient.EXIT);
            }
        }
    }

    @Test
    void threadsAreGoneWhenTheDoorIsShut() throws IOException {
        TestDoor door = TestDoor.open();
        try (RawClient client = RawClient.started(door.socket, "exit", "0")) {
            client.last();
        }
        door.close();
        await().atMost(Duration.ofSeconds(30)).until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(t -> t.getName().startsWith("kmorph-control")));
    }

    @Test
    void listenerThatHangsCostsOneThread() throws Refusal {
        AtomicInteger threads = new AtomicInteger();
        CountDownLatch hang = new CountDownLatch(1);
        Executor counting = task -> {
            threads.incrementAndGet();
            new Thread(task).start();
        };
        StartRequest request = StartRequest.parse(RawClient.start("x"));
        RemoteTerminal terminal = new RemoteTerminal(request, new Outbox(() -> {}), counting);
        AtomicInteger calls = new AtomicInteger();
        terminal.onResize(() -> {
            calls.incrementAndGet();
            try {
                hang.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        terminal.resized(new WindowSize(1, 1));
        await().atMost(Duration.ofSeconds(10)).until(() -> calls.get() == 1);
        for (int i = 2; i <= 1000; i++) {
            terminal.resized(new WindowSize(i, i));
        }
        hang.countDown();
        await().atMost(Duration.ofSeconds(10)).until(() -> calls.get() == 2 && terminal.rows() == 1000);
        assertThat(threads).hasValue(1);
    }
}
