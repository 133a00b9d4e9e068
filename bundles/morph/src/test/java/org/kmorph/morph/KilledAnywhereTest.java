// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kmorph.morph.core.MorphState;
import org.kmorph.morph.core.Outcome;
import org.kmorph.transportlocal.UnixTransport;

/**
 * kill -9 of the daemon, of the old agent and of the new one, at every moment of a morph: before and after each request, each record and
 * each change of an instance, and all along the one command in which the source freezes and lets go. The agents and the workload are
 * real; a daemon is killed by never hearing of anything again, and what it leaves is the journal.
 *
 * <p>Whatever happens, no client ever gets a wrong answer, and the workload never runs twice. As long as it is not the old agent that dies
 * before it has let go, or the new one after it was told to run, clients keep their connections and their writes.
 */
class KilledAnywhereTest {
    /** Of a machine that is busy with other things. */
    private static final double SLACK_MILLIS = 2000;

    private static final int SWEEP_STEPS = 20;
    private static final long SWEEP_STEP_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    private static UnixTransport transport;

    /** Of a death that comes later than the moment that it is counted from. */
    private volatile Thread killer = new Thread();

    @TempDir
    private Path directory;

    enum Victim {
        DAEMON,
        OLD,
        NEW
    }

    /** What one morph with one death came to. */
    record Story(
            String title, MorphState state, long workloads, int owner, Bed.Seen before, Bed.Seen after, boolean late) {
        boolean committed() {
            return state.outcome() == Outcome.COMMITTED || owner != 1;
        }
    }

    @BeforeAll
    static void build() throws Exception {
        LocalAgents.build();
        transport = new UnixTransport(new TransportDefaults());
    }

    @Test
    void aMorphThatNobodyDisturbsIsCommitted() throws Exception {
        Story story = play("undisturbed", Victim.DAEMON, -1, 0);
        assertThat(story.committed()).as("%s", story).isTrue();
        judge(Victim.DAEMON, story);
    }

    @ParameterizedTest
    @EnumSource
    void killedAtEveryMoment(Victim victim) throws Exception {
        int moments = moments().size();
        for (int at = 0; at < moments; at++) {
            judge(victim, play(victim + " killed at " + at, victim, at, 0));
        }
    }

    @ParameterizedTest
    @EnumSource
    void killedAnywhereInTheHandOver(Victim victim) throws Exception {
        int handOver = moments().indexOf("before HAND_OVER to 1");
        assertThat(handOver).isPositive();
        for (int step = 0; step < SWEEP_STEPS; step++) {
            String title = victim + " killed " + step * SWEEP_STEP_NANOS / 1000 + " us into the handing over";
            judge(victim, play(title, victim, handOver, step * SWEEP_STEP_NANOS));
        }
    }

    /** How many there are may differ by a round or two; a moment that never comes is a morph that nobody disturbs. */
    private List<String> moments() throws Exception {
        try (Bed bed = new Bed(directory.resolve("counted"), transport)) {
            Faults faults = Faults.none();
            MorphRun run = bed.run(Bed.plan(), faults);
            run.begin(true);
            run.finished().get(Bed.PATIENCE_SECONDS, TimeUnit.SECONDS);
            return faults.moments();
        }
    }

    private Story play(String title, Victim victim, int at, long delayNanos) throws Exception {
        try (Bed bed = new Bed(directory.resolve(title.replace(' ', '-')), transport)) {
            Bed.Seen begun = bed.ask();
            AtomicReference<MorphRun> run = new AtomicReference<>();
            AtomicReference<Faults> faults = new AtomicReference<>();
            CompletableFuture<Void> dead = new CompletableFuture<>();
            AtomicBoolean toldToRun = new AtomicBoolean();
            Runnable kill = () -> {
                if (victim == Victim.DAEMON) {
                    faults.get().die();
                    dead.complete(null);
                } else {
                    bed.killAgent(victim == Victim.OLD ? 1 : 2, run.get());
                    toldToRun.set(delayNanos > 0 && faults.get().moments().contains("before ACTIVATE to 2"));
                }
            };
            faults.set(new Faults(at, delayNanos == 0 ? kill : () -> later(delayNanos, kill)));
            run.set(bed.run(Bed.plan(), faults.get()));
            run.get().begin(true);
            CompletableFuture.anyOf(run.get().finished(), dead).get(Bed.PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (dead.isDone()) {
                bed.succeed(run);
            }
            killer.join();
            String moment = at < 0 || at >= faults.get().moments().size()
                    ? "never"
                    : faults.get().moments().get(at);
            boolean late = toldToRun.get()
                    || faults.get().moments().stream().limit(at + 1).anyMatch("after ACTIVATE to 2"::equals);
            Bed.Seen now = bed.ask();
            int owner = bed.agents
                    .agent(Bed.NAME)
                    .map(agent -> agent.instance().id())
                    .orElse(0);
            long workloads = bed.agents.workloads();
            TimeUnit.MILLISECONDS.sleep(30);
            assertThat(begun.wrong()).isZero();
            return new Story(title + " (" + moment + ")", run.get().state(), workloads, owner, now, bed.end(), late);
        }
    }

    private void later(long nanos, Runnable task) {
        killer = new Thread(() -> {
            long until = System.nanoTime() + nanos;
            while (System.nanoTime() < until) {
                Thread.onSpinWait();
            }
            task.run();
        });
        killer.start();
    }

    private static void judge(Victim victim, Story story) {
        assertThat(story.before().wrong() + story.after().wrong())
                .as("%s", story)
                .isZero();
        assertThat(story.workloads()).as("%s", story).isLessThanOrEqualTo(1);
        if (victim == Victim.OLD && !story.committed()) {
            assertThat(story.workloads())
                    .as("the old one's death is for healing: %s", story)
                    .isZero();
            return;
        }
        if (victim == Victim.NEW && story.late()) {
            // told to run, it died before or after it could say that it does: in between its connections are gone and
            // its ports not free
            assertThat(story.state().outcome())
                    .as("%s", story)
                    .isIn(Outcome.COMMITTED, Outcome.ROLLED_BACK, Outcome.FAILED);
            return;
        }
        assertThat(story.workloads()).as("%s", story).isEqualTo(1);
        assertThat(story.after().answers()).as("%s", story).isPositive();
        assertThat(story.after().lost() + story.after().closed())
                .as("%s", story)
                .isZero();
        if (!story.committed()) {
            assertThat(story.before().waitMillis()).as("%s", story).isLessThan(Bed.LEASE.toMillis() + SLACK_MILLIS);
        }
    }
}
