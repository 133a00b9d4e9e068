// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PanicWatchTest {
    @TempDir
    Path directory;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final FakeMonitor qemu = new FakeMonitor();
    private String state = "running";

    @BeforeEach
    void console() throws Exception {
        Files.writeString(directory.resolve("console.log"), "[1.0] Kernel panic - not syncing: test\n");
        qemu.answers("query-status", none -> Map.of("status", state));
    }

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    private PanicWatch watch() {
        PanicWatch watch = new PanicWatch(() -> Optional.of(qemu), directory, timer, told::add);
        watch.connect();
        return watch;
    }

    private String told() throws InterruptedException {
        String next = told.poll(10, TimeUnit.SECONDS);
        assertThat(next).as("what was told").isNotNull();
        return next;
    }

    @Test
    void panicIsToldOnceWithItsReason() throws Exception {
        watch();
        qemu.says(
                "{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 250000}, \"event\": \"GUEST_PANICKED\"}");
        qemu.says("{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}");
        assertThat(told()).contains("its kernel panicked at 2023-11-14T22:13:20.250Z", "not syncing: test");
        timer.submit(() -> {}).get();
        assertThat(told).isEmpty();
        assertThat(qemu.connections()).isZero();
    }

    @Test
    void panicThatHappenedWhileNobodyListenedIsFound() throws Exception {
        state = "guest-panicked";
        watch();
        assertThat(told()).contains("its kernel panicked");
    }

    @Test
    void machineThatQemuGivesUpIsToldWithTheWayOut() throws Exception {
        watch();
        state = "internal-error";
        qemu.says("{\"event\": \"STOP\"}");
        assertThat(told()).contains("internal-error", "accel=tcg");
    }

    @Test
    void machineThatIsStoppedOnPurposeIsNoTrouble() throws Exception {
        watch();
        state = "paused";
        qemu.says("{\"event\": \"STOP\"}");
        qemu.says("{\"event\": \"RESUME\"}");
        timer.submit(() -> {}).get();
        assertThat(told).isEmpty();
        assertThat(qemu.connections()).isOne();
    }

    @Test
    void lostConnectionIsMadeAgain() throws Exception {
        PanicWatch watch = watch();
        qemu.hangsUp();
        Awaitility.await().until(() -> qemu.connections() == 1);
        watch.close();
        assertThat(qemu.connections()).isZero();
        qemu.hangsUp();
        timer.submit(() -> {}).get();
        assertThat(qemu.endpoints()).hasSize(2);
    }
}
