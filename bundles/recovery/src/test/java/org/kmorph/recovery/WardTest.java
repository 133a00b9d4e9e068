// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.recovery.RecoveryState;

/** A recovery that is cut off at every point at which a daemon can be killed ends as one that is not. */
@Timeout(60)
class WardTest {
    /** What a whole recovery does to the journal and to the registry, counted once; each of it is a point to be killed at. */
    private static int deeds() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            heal(world);
            return world.deeds();
        }
    }

    private static void heal(World world) throws Exception {
        Instance failed = world.running("web", 1);
        try (Ward ward = world.ward()) {
            ward.takeOver();
            ward.failed(failed, world.failedReport(failed));
            world.awaitQuiet();
        }
    }

    static List<Integer> cuts() throws Exception {
        return IntStream.range(0, deeds()).boxed().toList();
    }

    @Test
    void aRecoveryHasManyPointsToBeKilledAt() throws Exception {
        assertThat(deeds()).isGreaterThanOrEqualTo(8);
    }

    /** Killed before deed number {@code cut} and after the one before it; then once more while it goes on, one deed later. */
    @ParameterizedTest
    @MethodSource("cuts")
    void aDaemonThatIsKilledAnywhereIsFollowedByOneThatEndsIt(int cut) throws Exception {
        try (World world = new World(cut)) {
            heal(world);
            for (int again = 1; again < 3; again++) {
                world.reviveUntil(world.deeds() + again);
                Instance there = world.find("web").orElse(null);
                try (Ward ward = world.ward()) {
                    ward.takeOver();
                    if (there != null && world.isFailed(there)) {
                        ward.failed(there, world.failedReport(there));
                    }
                    world.awaitQuiet();
                }
            }
            world.reviveUntil(Integer.MAX_VALUE);
            try (Ward ward = world.ward()) {
                ward.takeOver();
                world.find("web")
                        .filter(world::isFailed)
                        .ifPresent(there -> ward.failed(there, world.failedReport(there)));
                world.awaitHealed("web", 1);
            }
            assertThat(world.reports("web")).isNotEmpty().allSatisfy(report -> assertThat(report.state())
                    .isEqualTo(RecoveryState.RECOVERY_COMPLETE));
            assertThat(world.releases(1)).as("given back once").isEqualTo(1);
            assertThat(world.mostAtOnce()).as("instances of the name at once").isEqualTo(1);
            assertThat(world.releasedUnfenced()).isFalse();
            assertThat(world.captures(1)).as("captures").isPositive();
            assertThat(world.capturedUnfenced()).isFalse();
            assertThat(world.reports("web")).anySatisfy(report -> assertThat(report.evidence())
                    .containsEntry("vmcore", "/vmcores/web.kdump")
                    .containsEntry("vmcore_verdict", "It panicked.")
                    .containsEntry("crash_signature", "c0ffee")
                    .containsEntry("console", "instance 1 oopsed"));
            assertThat(world.spawned()).as("successors").hasSize(1);
        }
    }

    /** It is replaced in the middle of a start. @return the id of who does the work then */
    private static int closedInAStart(CountDownLatch booted, Duration patience) throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            world.startSlowly(booted, patience);
            Instance failed = world.running("web", 1);
            Ward ward = world.ward();
            ward.takeOver();
            ward.failed(failed, world.failedReport(failed));
            World.await(() -> world.find("web")
                    .filter(one -> one.state() == InstanceState.STARTING)
                    .isPresent());
            Thread closer = new Thread(ward::close);
            closer.start();
            World.await(() -> closer.getState() == Thread.State.TIMED_WAITING || !closer.isAlive());
            booted.countDown();
            closer.join();
            try (Ward next = world.ward()) {
                next.takeOver();
                world.awaitHealed("web", 1);
            }
            assertThat(world.mostAtOnce()).as("instances of the name at once").isEqualTo(1);
            return world.find("web").orElseThrow().id();
        }
    }

    @Test
    void aStartThatIsUnderWayWhenTheBundleIsReplacedIsNotMadeAgain() throws Exception {
        assertThat(closedInAStart(new CountDownLatch(1), Duration.ofMinutes(1))).isEqualTo(2);
    }

    @Test
    void oneThatTakesTooLongIsUndoneAndMadeAgain() throws Exception {
        assertThat(closedInAStart(new CountDownLatch(1), Duration.ZERO)).isEqualTo(3);
    }
}
