// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.time.TimeSource;

class KeeperTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Machine machine = new Machine();

    /** Whose workload was asked to stop. */
    private final List<String> retired = new ArrayList<>();

    @TempDir
    Path directory;

    /** Whether whoever asks for an end does not wait for it. */
    private boolean cancelled;

    private void retire(Instance one, Duration patience) throws InterruptedException {
        retired.add(one.name());
        if (cancelled) {
            throw new InterruptedException("cancelled");
        }
    }

    /** A daemon on the machine: what is in memory alone. */
    private final class Daemon {
        final Hosts hosts = new Hosts();
        final Ledger ledger;
        final Keeper keeper;

        Daemon() {
            TimeSource time = new StandingWallClock();
            Announcer announcer = new Announcer(List::of, List::of, Executors.newSingleThreadExecutor());
            Agents agents = new Agents(time);
            agents.add(Machine.transport());
            hosts.add(machine.host());
            ledger = new Ledger(machine::journal, time, announcer, 3);
            keeper = new Keeper(
                    new DiskDirectories(directory),
                    ledger,
                    hosts,
                    agents,
                    announcer,
                    KeeperTest.this::retire,
                    time,
                    Executors.newCachedThreadPool());
        }

        Daemon tookOver() throws Exception {
            keeper.takeOver();
            while (!keeper.awaitResumed(Duration.ofMillis(1))) {
                if (machine.killed()) {
                    throw new Machine.Killed();
                }
            }
            return this;
        }
    }

    private static final class StandingWallClock implements TimeSource {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public Instant now() {
            return Instant.EPOCH;
        }
    }

    private static InstanceSpec spec(String name) {
        return new InstanceSpec(
                name,
                "local",
                Path.of("/boot/vmlinuz"),
                Optional.of("quiet"),
                Optional.of(Path.of("/boot/initrd")),
                true,
                Optional.of(Duration.ofMillis(250)),
                Optional.of("1-2"),
                Optional.of(1L << 30),
                List.of("sleep", "1 000"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    @Test
    void aDaemonKilledAtAnyStepOfASpawnLeavesAllOrNothing() throws Exception {
        int steps = stepsOf(() -> new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE));
        assertThat(steps).isGreaterThanOrEqualTo(4);
        for (int step = 0; step < steps; step++) {
            killedAt(step, () -> new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE));
            Daemon next = new Daemon().tookOver();
            assertThat(next.ledger.list()).as("killed at step %d", step).isEmpty();
            assertNothingIsLeft(step);
        }
    }

    @Test
    void aDaemonKilledAtAnyStepOfATerminationLeavesAllOrNothing() throws Exception {
        new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE);
        int steps = stepsOf(() -> new Daemon().tookOver().keeper.terminate("web", false, PATIENCE));
        for (int step = 0; step < steps; step++) {
            machine.boot();
            if (new Daemon().tookOver().ledger.list().isEmpty()) {
                new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE);
            }
            killedAt(step, () -> new Daemon().tookOver().keeper.terminate("web", false, PATIENCE));
            Daemon next = new Daemon().tookOver();
            List<Instance> left = next.ledger.list();
            if (left.isEmpty()) {
                assertNothingIsLeft(step);
            } else {
                assertThat(left).singleElement().extracting(Instance::state).isEqualTo(InstanceState.RUNNING);
                assertThat(machine.running()).hasSize(1);
            }
        }
    }

    @Test
    void aStandbyHasTheNameOfOneThatIsGoneOrItsOwnAfterADaemonWasKilledAtAnyStep() throws Exception {
        Instance web = new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE);
        int id = onlyAStandbyFor(web);
        assertThat(id).isNotEqualTo(web.id());
        int steps = stepsOf(() -> new Daemon().tookOver().keeper.promote("web-b", "web"));
        for (int step = 0; step < steps; step++) {
            machine.boot();
            int standby = onlyAStandbyFor(web);
            killedAt(step, () -> new Daemon().tookOver().keeper.promote("web-b", "web"));
            Daemon next = new Daemon().tookOver();
            assertThat(next.ledger.list())
                    .as("killed at step %d", step)
                    .singleElement()
                    .extracting(Instance::id)
                    .isEqualTo(standby);
            Instance bearer = next.keeper.promote("web-b", "web");
            assertThat(bearer.name()).isEqualTo("web");
            assertThat(bearer.spec().successorOf()).isEmpty();
            assertThat(machine.running()).hasSize(1);
        }
    }

    /** Leaves nothing but a standby "web-b". @return its id */
    private int onlyAStandbyFor(Instance web) throws Exception {
        Daemon daemon = new Daemon().tookOver();
        for (Instance there : daemon.ledger.list()) {
            daemon.keeper.terminate(there.name(), true, PATIENCE);
        }
        return daemon.keeper.spawn(standby(web), PATIENCE).id();
    }

    @Test
    void whatIsNoStandbyIsNotPromoted() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        Instance web = daemon.keeper.spawn(spec("web"), PATIENCE);
        daemon.keeper.spawn(standby(web), PATIENCE);
        assertThatThrownBy(() -> daemon.keeper.promote("web-b", "web")).hasMessageContaining("\"web\" is there");
        assertThatThrownBy(() -> daemon.keeper.promote("web", "shop"))
                .hasMessageContaining("is no standby; spawn one with --standby-for");
        assertThatThrownBy(() -> daemon.keeper.promote("nobody", "shop")).hasMessageContaining("nobody");
    }

    private static InstanceSpec standby(Instance web) {
        return web.spec().as("web-b", true).succeeding(web.id(), web.spec().kernel());
    }

    private void assertNothingIsLeft(int step) throws Exception {
        assertThat(machine.running()).as("killed at step %d", step).isEmpty();
        assertThat(machine.present()).as("killed at step %d", step).isEmpty();
        try (var files = Files.list(directory)) {
            assertThat(files).as("killed at step %d", step).isEmpty();
        }
    }

    @Test
    void aRunningInstanceIsAdoptedAsItWas() throws Exception {
        Instance before = new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE);
        Instance after = new Daemon().tookOver().ledger.get("web").instance();
        assertThat(after).isEqualTo(before);
        assertThat(after.contextId()).isEqualTo(after.id() + 2L);
    }

    @Test
    void theWorkloadIsAskedToStopUnlessTheEndIsForced() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        daemon.keeper.spawn(spec("web"), PATIENCE);
        daemon.keeper.spawn(spec("db"), PATIENCE);
        daemon.keeper.terminate("web", true, PATIENCE);
        assertThat(retired).isEmpty();
        daemon.keeper.terminate("db", false, PATIENCE);
        assertThat(retired).containsExactly("db");
        assertThat(machine.present()).isEmpty();
    }

    @Test
    void anEndThatIsCancelledGoesOnByItself() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        daemon.keeper.spawn(spec("web"), PATIENCE);
        cancelled = true;
        assertThatThrownBy(() -> daemon.keeper.terminate("web", false, PATIENCE))
                .isInstanceOf(InterruptedException.class);
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!daemon.ledger.list().isEmpty() && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(daemon.ledger.list()).isEmpty();
        assertThat(machine.present()).isEmpty();
    }

    @Test
    void failedFenceNeverReleases() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        daemon.keeper.spawn(spec("web"), PATIENCE);
        machine.fencingCanBeConfirmed = false;
        assertThatThrownBy(() -> daemon.keeper.terminate("web", false, PATIENCE))
                .isInstanceOf(InstanceException.class)
                .hasMessageContaining("HELD")
                .hasMessageContaining("its process does not end");
        assertThat(machine.present()).hasSize(1);
        assertThat(daemon.ledger.get("web").instance().state()).isEqualTo(InstanceState.HELD);
        assertThatThrownBy(() -> daemon.keeper.spawn(spec("web"), PATIENCE)).hasMessageContaining("is there already");
        assertThatThrownBy(() -> daemon.keeper.terminate("web", false, PATIENCE))
                .hasMessageContaining("--force");

        machine.fencingCanBeConfirmed = true;
        daemon.keeper.terminate("web", true, PATIENCE);
        assertThat(daemon.ledger.list()).isEmpty();
        assertThat(machine.present()).isEmpty();
    }

    /** Whoever has it fenced decides what becomes of the rest, also where its end had been asked for before. */
    @Test
    void whatIsFencedIsKeptThoughItsEndHadFailed() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        daemon.keeper.spawn(spec("web"), PATIENCE);
        machine.fencingCanBeConfirmed = false;
        assertThatThrownBy(() -> daemon.keeper.terminate("web", false, PATIENCE))
                .hasMessageContaining("HELD");
        machine.fencingCanBeConfirmed = true;
        daemon.keeper.fence("web", "asked for by a person", PATIENCE);
        assertThat(new Daemon().tookOver().ledger.get("web").instance().state()).isEqualTo(InstanceState.FENCED);
    }

    @Test
    void idsAreNotUsedAgainWhileTheyCouldBeMistaken() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        int first = daemon.keeper.spawn(spec("web"), PATIENCE).id();
        daemon.keeper.terminate("web", false, PATIENCE);
        int second = new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE).id();
        assertThat(second).isNotEqualTo(first);
    }

    @Test
    void whatCannotBeRecordedIsNotStarted() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        machine.journalIsFull = true;
        assertThatThrownBy(() -> daemon.keeper.spawn(spec("web"), PATIENCE)).hasMessageContaining("the disk is full");
        assertThat(machine.running()).isEmpty();
        assertThat(daemon.ledger.list()).isEmpty();
    }

    @Test
    void thereAreNoMoreThanTheConfigurationAllows() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        for (String name : List.of("a", "b", "c")) {
            daemon.keeper.spawn(spec(name), PATIENCE);
        }
        assertThatThrownBy(() -> daemon.keeper.spawn(spec("d"), PATIENCE)).hasMessageContaining("max.instances");
    }

    @Test
    void namesAreChecked() {
        Daemon daemon = new Daemon();
        for (String name : List.of("", "-a", "a-", "Web", "a_b", "../x", "x".repeat(64))) {
            assertThatThrownBy(() -> daemon.keeper.spawn(spec(name), PATIENCE))
                    .isInstanceOf(InstanceException.class)
                    .hasMessageContaining("is no instance name");
        }
    }

    @Test
    void anInstanceWhoseHostIsNotThereWaitsForIt() throws Exception {
        new Daemon().tookOver().keeper.spawn(spec("web"), PATIENCE);
        Daemon next = new Daemon();
        next.hosts.remove(next.hosts.get("local"));
        next.keeper.takeOver();
        assertThatThrownBy(() -> next.keeper.terminate("web", false, PATIENCE))
                .hasMessageContaining("waits for its host");
        next.hosts.add(machine.host());
        next.keeper.hostCame("local");
        next.keeper.awaitResumed(PATIENCE);
        next.keeper.terminate("web", false, PATIENCE);
        assertThat(machine.present()).isEmpty();
    }

    @Test
    void aHostThatIsReplacedTakesUpWhatRunsAndNothingElseChanges() throws Exception {
        Daemon daemon = new Daemon().tookOver();
        Instance before = daemon.keeper.spawn(spec("web"), PATIENCE);
        int steps = machine.stepsTaken();
        daemon.hosts.add(machine.host());
        daemon.keeper.hostCame("local");
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (machine.stepsTaken() == steps) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.onSpinWait();
        }
        daemon.keeper.terminate("web", false, PATIENCE);
        assertThat(machine.adopted()).containsExactly(before.id());
        assertThat(machine.present()).isEmpty();
    }

    /** What the action costs in steps, undisturbed; afterwards its effects are taken away again. */
    private int stepsOf(Steps action) throws Exception {
        machine.boot();
        action.run();
        int steps = machine.stepsTaken();
        machine.boot();
        Daemon cleaner = new Daemon().tookOver();
        for (Instance instance : cleaner.ledger.list()) {
            cleaner.keeper.terminate(instance.name(), true, PATIENCE);
        }
        return steps;
    }

    private void killedAt(int step, Steps action) throws Exception {
        machine.boot();
        machine.killAfter(step);
        try {
            action.run();
        } catch (Machine.Killed e) {
            // as intended
        }
        machine.boot();
    }

    @FunctionalInterface
    private interface Steps {
        void run() throws Exception;
    }
}
