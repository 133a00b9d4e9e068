// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
        assertThat(runners.await(Duration.ZERO)).contains(next);
        runners.unset(next);
        assertThat(runners.await(Duration.ZERO)).isEmpty();
    }

    @Test
    void callerWhoIsInAlreadyIsServedThoughTheOldDoorLosesItsServices() throws Exception {
        try (TestDoor door = TestDoor.open();
                RawClient client = RawClient.greeted(door.socket)) {
            door.runners.keep();
            door.server.drain(Duration.ofSeconds(30));
            door.runners.unset(door.commands);
            client.send(RawClient.frame(1, RawClient.start("exit", "2")));
            assertThat(client.last().orElseThrow().payload()).containsExactly(2);
        }
    }

    @Test
    void limitCanBeRaisedWhileClientsAreIn() throws IOException {
        try (TestDoor door = new TestDoor(java.nio.file.Files.createTempDirectory("kmorph-door"), 1);
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
