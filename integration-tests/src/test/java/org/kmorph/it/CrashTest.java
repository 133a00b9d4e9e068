// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * kill -9 of the daemon at any moment of a spawn or a termination: the next daemon adopts the instance, running, or nothing of it is
 * left, no process, file, socket or control group. The moments are drawn; -Dkmorph.crash.seed= and -Dkmorph.crash.cuts= draw the same or
 * more. The steps between two records of the journal are enumerated in the unit tests of the instances bundle.
 */
class CrashTest {
    private static final int CUTS = Integer.getInteger("kmorph.crash.cuts", 6);
    private static final long SEED = Long.getLong("kmorph.crash.seed", System.nanoTime());

    private final Random random = new Random(SEED);
    private Kmorph kmorph;
    private LocalInstances instances;

    @BeforeEach
    void start() {
        kmorph = Kmorph.unpack();
        kmorph.start();
        instances = new LocalInstances(kmorph);
    }

    @AfterEach
    void stop() {
        kmorph.remove();
    }

    @Test
    void aKilledDaemonLeavesAllOfAnInstanceOrNothing() {
        System.out.printf("crash test: %d cuts each, -Dkmorph.crash.seed=%d%n", CUTS, SEED);
        long spawn = nanosOf(this::spawn);
        long terminate = nanosOf(this::terminate);
        int adopted = 0;
        int removed = 0;
        for (int cut = 0; cut < CUTS; cut++) {
            killedDuring(this::spawn, spawn);
            if (comesBack()) {
                adopted++;
            } else {
                removed++;
                spawn();
            }
            killedDuring(this::terminate, terminate);
            if (comesBack()) {
                adopted++;
                terminate();
            } else {
                removed++;
            }
        }
        System.out.printf("crash test: %d adopted, %d removed%n", adopted, removed);
        assertThat(instances.allProcesses()).isEmpty();
    }

    private void spawn() {
        instances.spawn("web", "--memory=64M", "--workload=/bin/sleep", "--workload=1000");
    }

    private void terminate() {
        kmorph.ctl("terminate", "web");
    }

    private static long nanosOf(Runnable action) {
        long start = System.nanoTime();
        action.run();
        return System.nanoTime() - start;
    }

    private void killedDuring(Runnable action, long nanos) {
        long moment = (long) (random.nextDouble() * nanos * 1.2);
        long pid = kmorph.pid();
        CompletableFuture<Void> acting = CompletableFuture.runAsync(action);
        CompletableFuture.runAsync(
                        () -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly),
                        CompletableFuture.delayedExecutor(moment, TimeUnit.NANOSECONDS))
                .join();
        acting.join();
        Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> !Programs.runs(pid));
        kmorph.start();
    }

    /** Whether the instance is there again and well; else nothing of it is left. Either comes soon. */
    private boolean comesBack() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(50))
                .untilAsserted(() -> {
                    List<Map<String, Object>> rows = rows();
                    if (rows.isEmpty()) {
                        assertThat(instances.allProcesses()).isEmpty();
                        assertThat(instances.directories()).isEmpty();
                    } else {
                        assertThat(rows.get(0))
                                .containsEntry("state", "RUNNING")
                                .containsEntry("health", "HEALTHY");
                    }
                });
        List<Map<String, Object>> rows = rows();
        int last = rows.isEmpty() ? 0 : (int) rows.get(0).get("id");
        for (int id = 1; id <= 2 * CUTS + 2; id++) {
            if (id != last) {
                assertThat(instances.controlGroups(id)).as("of instance %d", id).isEmpty();
            }
        }
        return !rows.isEmpty();
    }

    private List<Map<String, Object>> rows() {
        return kmorph.ctl("list", "-o", "json").ok().jsonRows();
    }
}
