// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Our bundles are replaced while many instances are watched: nobody is suspected, and the longest time that an instance was not heard is
 * printed. -Dkmorph.swap.instances=100 -Dkmorph.swap.timeout.ms=300 -Dkmorph.swap.updates=20 is the whole of it; without, a share of that.
 */
class SwapUnderLoadTest {
    private static final int INSTANCES = Integer.getInteger("kmorph.swap.instances", 30);
    private static final int TIMEOUT_MS = Integer.getInteger("kmorph.swap.timeout.ms", 900);
    private static final int UPDATES = Integer.getInteger("kmorph.swap.updates", 1);

    private Kmorph kmorph;
    private LocalInstances instances;

    @BeforeEach
    void start() {
        kmorph = Kmorph.unpack();
        kmorph.start();
        instances = new LocalInstances(kmorph);
        kmorph.ctl("policy", "default", "heartbeat-timeout", TIMEOUT_MS + "ms").ok();
        for (int i = 0; i < INSTANCES; i++) {
            instances.spawn("i" + i).ok();
        }
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> rows().stream()
                .allMatch(row -> "HEALTHY".equals(row.get("health"))));
    }

    @AfterEach
    void stop() {
        for (int i = 0; i < INSTANCES; i++) {
            kmorph.ctl("terminate", "i" + i, "--force");
        }
        kmorph.remove();
    }

    @Test
    void nobodyIsSuspectedWhileBundlesAreReplaced() throws InterruptedException {
        List<String> bundles = kmorph.ctl("bundle", "list", "-o", "json").ok().jsonRows().stream()
                .filter(row -> "ours".equalsIgnoreCase(String.valueOf(row.get("origin"))))
                .map(row -> String.valueOf(row.get("symbolic_name")))
                .filter(name -> !name.equals("org.kmorph.native") && !name.equals("org.kmorph.api"))
                .sorted()
                .toList();
        AtomicReference<Double> longest = new AtomicReference<>(0.0);
        for (String bundle : bundles) {
            AtomicReference<Double> own = new AtomicReference<>(0.0);
            AtomicBoolean over = new AtomicBoolean();
            Thread sampler = new Thread(() -> {
                while (!over.get()) {
                    oldestHeartbeat().ifPresent(age -> own.accumulateAndGet(age, Math::max));
                }
            });
            sampler.start();
            try {
                for (int number = 1; number <= UPDATES; number++) {
                    update(bundle, number);
                }
            } finally {
                over.set(true);
                sampler.join();
            }
            System.out.printf(
                    "%s: %d updates, an instance was not heard for at most %.0f ms%n", bundle, UPDATES, own.get());
            longest.accumulateAndGet(own.get(), Math::max);
        }
        System.out.printf(
                "%d instances, %d ms allowed, %d bundles: longest gap %.0f ms%n",
                INSTANCES, TIMEOUT_MS, bundles.size(), longest.get());
        assertThat(kmorph.log().lines().filter(line -> line.contains("is SUSPECT") || line.contains("is FAILED")))
                .isEmpty();
        assertThat(longest.get()).isLessThan(TIMEOUT_MS);
        Awaitility.await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> assertThat(rows())
                .hasSize(INSTANCES)
                .allSatisfy(row ->
                        assertThat(row).containsEntry("health", "HEALTHY").containsEntry("state", "RUNNING")));
    }

    private List<Map<String, Object>> rows() {
        return kmorph.ctl("list", "-o", "json").ok().jsonRows();
    }

    /** How long the instance that was not heard for longest is not heard; nothing while the command itself is replaced. */
    private Optional<Double> oldestHeartbeat() {
        Result list = kmorph.ctl("list", "-o", "json");
        return list.status() != 0
                ? Optional.empty()
                : list.jsonRows().stream()
                        .map(row -> row.get("age_ms"))
                        .filter(Number.class::isInstance)
                        .map(age -> ((Number) age).doubleValue())
                        .max(Double::compare);
    }

    private void update(String bundle, int number) {
        String artifact = bundle.substring("org.kmorph.".length());
        Path jar = kmorph.home().resolve(artifact + "-next.jar");
        Jars.withVersion(Jars.ours(kmorph, artifact), "0.1.0.u" + number, jar);
        kmorph.ctl("bundle", "update", jar.toString()).ok();
    }
}
