// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.MorphException.Reason;
import org.kmorph.api.morph.MorphPhase;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.morph.StateTransfer;

class GroupMorphTest {
    private final Fleet fleet = new Fleet();
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());

    private GroupMorph group() {
        return new GroupMorph(fleet, Path.of("kernel"), StateTransfer.PLAIN, Duration.ofSeconds(5), told::add);
    }

    @Test
    void allAreMorphedAndNeverMoreThanStatedAtATime() throws Exception {
        group().run(List.of("a", "b", "c", "d"), 1);
        assertThat(fleet.committed).containsExactly("a", "b", "c", "d");
        assertThat(fleet.mostAtOnce).isOne();
    }

    /** The two wait for each other: with one at a time this would never end. */
    @Test
    void asManyAsStatedAreUnderWayTogether() throws Exception {
        fleet.together = Optional.of(new CyclicBarrier(2));
        group().run(List.of("a", "b", "c", "d"), 2);
        assertThat(fleet.committed).containsExactlyInAnyOrder("a", "b", "c", "d");
        assertThat(fleet.mostAtOnce).isEqualTo(2);
    }

    @Test
    void theFirstFailureEndsIt() {
        fleet.failing = "b";
        assertThatThrownBy(() -> group().run(List.of("a", "b", "c", "d"), 1))
                .isInstanceOf(CommandException.class)
                .hasMessage("b does not want to");
        assertThat(fleet.committed).containsExactly("a");
        assertThat(told).endsWith("b: b does not want to", "c: not begun", "d: not begun");
    }

    @Test
    void whatIsOnlyPreparedWhenAnotherFailsIsRolledBack() {
        fleet.failing = "a";
        fleet.afterFailure = "b";
        assertThatThrownBy(() -> group().run(List.of("a", "b", "c"), 2)).hasMessage("a does not want to");
        assertThat(fleet.committed).isEmpty();
        assertThat(fleet.rolledBack).containsExactly("b");
        assertThat(told).contains("b: rolled back, for another has failed", "c: not begun");
    }

    /** As when the bundle of morphs is replaced meanwhile. */
    @Test
    void whatNobodyHasForeseenIsAFailureToo() {
        fleet.breaking = "a";
        assertThatThrownBy(() -> group().run(List.of("a", "b"), 1))
                .isInstanceOfSatisfying(
                        CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.FAILED))
                .hasMessageContaining("\"a\"")
                .hasMessageContaining("it broke");
        assertThat(told).endsWith("b: not begun");
    }

    @Test
    void oneThatIsCancelledHasToldSoBeforeTheCommandEnds() {
        fleet.waiting = "a";
        Thread caller = Thread.currentThread();
        Thread canceller = new Thread(() -> {
            try {
                fleet.waits.await();
                caller.interrupt();
            } catch (InterruptedException e) {
                throw new AssertionError("nobody interrupts it", e);
            }
        });
        canceller.start();
        assertThatThrownBy(() -> group().run(List.of("a", "b"), 1)).isInstanceOf(InterruptedException.class);
        assertThat(told).containsExactly("a: the morph of \"a\" was cancelled");
        assertThat(fleet.committed).isEmpty();
    }

    /** Instances that morph at once, or not at all. */
    private final class Fleet implements Morphs {
        private final List<String> committed = Collections.synchronizedList(new ArrayList<>());
        private final List<String> rolledBack = Collections.synchronizedList(new ArrayList<>());
        private final Set<String> underWay = new HashSet<>();
        private Optional<CyclicBarrier> together = Optional.empty();
        private String failing = "";
        private String afterFailure = "";
        private String breaking = "";
        private String waiting = "";
        private final CountDownLatch waits = new CountDownLatch(1);
        private int mostAtOnce;

        @Override
        public MorphStatus prepare(
                String name, Path kernel, StateTransfer transfer, Duration most, Consumer<MorphStatus> progress)
                throws MorphException, InterruptedException {
            synchronized (underWay) {
                underWay.add(name);
                mostAtOnce = Math.max(mostAtOnce, underWay.size());
            }
            if (name.equals(breaking)) {
                throw new IllegalStateException("it broke");
            }
            if (name.equals(waiting)) {
                waits.countDown();
                new CountDownLatch(1).await();
            }
            while (name.equals(failing) && !afterFailure.isEmpty() && !isUnderWay(afterFailure)) {
                Thread.onSpinWait();
            }
            if (name.equals(failing)) {
                throw new MorphException(Reason.ROLLED_BACK, name + " does not want to");
            }
            while (name.equals(afterFailure) && told.isEmpty()) {
                Thread.onSpinWait();
            }
            try {
                if (together.isPresent()) {
                    together.get().await(5, TimeUnit.SECONDS);
                }
            } catch (BrokenBarrierException | TimeoutException e) {
                throw new MorphException(Reason.FAILED, "it is alone", e);
            }
            return status(name);
        }

        private boolean isUnderWay(String name) {
            synchronized (underWay) {
                return underWay.contains(name);
            }
        }

        @Override
        public MorphStatus commit(String name, Duration timeout) {
            committed.add(name);
            return end(name);
        }

        @Override
        public MorphStatus rollback(String name) {
            rolledBack.add(name);
            return end(name);
        }

        private MorphStatus end(String name) {
            synchronized (underWay) {
                underWay.remove(name);
            }
            return status(name);
        }

        private MorphStatus status(String name) {
            return new MorphStatus(
                    name,
                    "0",
                    MorphPhase.RUNNING,
                    false,
                    Instant.EPOCH,
                    "6.1",
                    "6.12",
                    "kernel",
                    1,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    Optional.of(1_000_000L),
                    List.of(),
                    List.of(),
                    List.of(),
                    "committed",
                    "");
        }

        @Override
        public MorphStatus dryRun(String name, Path kernel, StateTransfer transfer, Duration timeout) {
            throw new UnsupportedOperationException("a group has none");
        }

        @Override
        public MorphStatus validate(String name, Duration timeout) {
            throw new UnsupportedOperationException("a group needs none");
        }

        @Override
        public Optional<MorphStatus> find(String name) {
            return Optional.empty();
        }

        @Override
        public List<MorphStatus> list() {
            return List.of();
        }
    }
}
