// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kmorph.it.Jars;
import org.kmorph.it.Kmorph;
import org.kmorph.it.LocalInstances;
import org.kmorph.it.Result;
import org.kmorph.it.Rounds;

/**
 * The connection to a real kernel, whose daemon is changed below it: transport-vsock replaced again and again under traffic, and the
 * daemon killed. -Dkmorph.vsock.swaps=200 is the whole of it; without, a share of that. Needs what {@code ./kmorph kernels} fetches.
 */
class VsockSwapTest {
    private static final int SWAPS = Integer.getInteger("kmorph.vsock.swaps", 25);

    /** A first few swaps leave what is made once. */
    private static final int SETTLED = 5;

    /** Three heartbeats to a timeout. */
    private static final Duration TIMEOUT = Duration.ofMillis(1500);

    private static final Duration HEARTBEAT = TIMEOUT.dividedBy(3);
    private static final Duration CONNECTED = Duration.ofSeconds(2);

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private Kmorph kmorph;
    private LocalInstances instances;

    @BeforeEach
    void boot() {
        kmorph = Kmorph.unpack();
        kmorph.start();
        instances = new LocalInstances(kmorph);
        kmorph.ctl("policy", "default", "auto-heal", "disabled").ok();
        kmorph.ctl(
                        "spawn",
                        "web",
                        "--host=qemu",
                        "--kernel=" + DebianKernels.file("6.12", "vmlinuz"),
                        "--memory=128M",
                        "--heartbeat-timeout=" + TIMEOUT.toMillis() + "ms")
                .ok();
        awaitHealthy();
    }

    @AfterEach
    void end() {
        kmorph.ctl("terminate", "web", "--force").ok();
        assertThat(instances.allProcesses()).isEmpty();
        kmorph.remove();
    }

    private void awaitHealthy() {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> assertThat(
                        instances.status("web"))
                .containsEntry("health", "HEALTHY"));
    }

    /** A new host or transport makes the connection anew: until then a ping has nobody to ask, and says so at once. */
    private void awaitPing() {
        Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> kmorph.ctl("ping", "web", "--count=1").status() == 0);
    }

    @Test
    void swapsUnderTrafficLoseNoHeartbeatAndLeaveNothing() throws InterruptedException {
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong answered = new AtomicLong();
        AtomicLong longest = new AtomicLong();
        Thread traffic = new Thread(() -> {
            while (!over.get()) {
                answered.addAndGet(kmorph.ctl("ping", "web", "--count=200", "--interval=1ms")
                        .out()
                        .lines()
                        .filter(line -> line.startsWith("heartbeat from"))
                        .count());
            }
        });
        Thread watch = new Thread(() -> {
            while (!over.get()) {
                longest.accumulateAndGet(unheardMillis(), Math::max);
            }
        });
        Holdings settled;
        try {
            traffic.start();
            watch.start();
            swap(1, SETTLED);
            settled = settled();
            swap(SETTLED + 1, SWAPS);
        } finally {
            over.set(true);
            traffic.join();
            watch.join();
        }
        System.out.printf(
                "transport-vsock: %d swaps while %d heartbeats by hand were answered; the instance was not heard for at most %d ms,"
                        + " its heartbeats are %d ms apart; the daemon held %s%n",
                SWAPS, answered.get(), longest.get(), HEARTBEAT.toMillis(), settled);
        assertThat(answered.get()).as("heartbeats by hand").isGreaterThan(10L * SWAPS);
        assertThat(kmorph.log().lines().filter(line -> line.contains("is SUSPECT") || line.contains("is FAILED")))
                .isEmpty();
        // a connection that is not back within one heartbeat costs the next as well, which is the timeout
        assertThat(longest.get()).as("ms without a heartbeat").isPositive().isLessThan(TIMEOUT.toMillis());
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> assertThat(Holdings.of(kmorph.pid()))
                        .satisfies(held -> assertThat(held.least(settled)).isEqualTo(held)));
    }

    /**
     * What is held with the connection there. Commands connect meanwhile, and a former version may be on its way out: the least of
     * many looks.
     */
    private Holdings settled() {
        awaitPing();
        Holdings least = Holdings.of(kmorph.pid());
        for (int look = 0; look < 200; look++) {
            least = least.least(Holdings.of(kmorph.pid()));
        }
        return least;
    }

    /** How long the instance is not heard; 0 while the command itself gets no answer. */
    private long unheardMillis() {
        Result list = kmorph.ctl("list", "-o", "json");
        return list.status() != 0
                ? 0
                : list.jsonRows().stream()
                        .map(row -> row.get("age_ms"))
                        .filter(Number.class::isInstance)
                        .mapToLong(age -> ((Number) age).longValue())
                        .max()
                        .orElse(0);
    }

    private void swap(int first, int last) {
        Path jar = kmorph.home().resolve("transport-vsock-next.jar");
        for (int number = first; number <= last; number++) {
            Jars.withVersion(Jars.ours(kmorph, "transport-vsock"), "0.1.0.u" + number, jar);
            kmorph.ctl("bundle", "update", jar.toString()).ok();
        }
    }

    @Test
    void daemonThatWasKilledHasItsConnectionBackWithinTwoSeconds() throws Exception {
        assertThat(Rounds.until(CONNECTED, this::connectedAfterKill)).isLessThan(CONNECTED);
    }

    private Duration connectedAfterKill() {
        kmorph.kill();
        long asked = System.nanoTime();
        kmorph.start();
        long ready = System.nanoTime();
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(10)).untilAsserted(() -> {
            Map<String, Object> status = instances.status("web");
            assertThat(status).containsEntry("health", "HEALTHY").containsEntry("state", "RUNNING");
        });
        Duration took = Duration.ofNanos(System.nanoTime() - ready);
        System.out.printf(
                "adopted: %d ms from the daemon's being ready to a heartbeat of the kernel, which it was %d ms after it was asked for%n",
                took.toMillis(), Duration.ofNanos(ready - asked).toMillis());
        return took;
    }

    @Test
    void hostThatTakesUpAnotherConfigurationCondemnsNobody() throws IOException {
        Path settings = kmorph.home().resolve("etc/org.kmorph.host-qemu.cfg");
        String before = Files.readString(settings);
        for (int n = 1; n <= 5; n++) {
            Files.writeString(settings, before + "\nconsole.bytes = " + (n << 20) + "\n");
            kmorph.ctl("daemon", "reload").ok();
            long asked = System.nanoTime();
            awaitPing();
            System.out.printf(
                    "another configuration of the host: a ping is answered %d ms later%n",
                    Duration.ofNanos(System.nanoTime() - asked).toMillis());
        }
        assertThat(instances.status("web")).containsEntry("health", "HEALTHY");
        assertThat(kmorph.log()).doesNotContain("is FAILED");
    }
}
