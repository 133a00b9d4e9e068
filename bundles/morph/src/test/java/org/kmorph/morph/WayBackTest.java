// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kmorph.morph.core.MorphState;
import org.kmorph.morph.core.Outcome;
import org.kmorph.transportlocal.UnixTransport;

/**
 * A workload that does not begin on the new kernel, after the commit, goes on on the old one: with all of its clients' connections and
 * writes, and with kill -9 of the daemon, of the old agent and of the new one at every moment. The agents and the workload are real.
 */
class WayBackTest {
    private static UnixTransport transport;

    @TempDir
    private Path directory;

    enum Victim {
        DAEMON,
        OLD,
        NEW
    }

    /** What a morph came to. @param owner the instance that is called so now; 0 for none */
    record Story(String title, MorphState state, long workloads, int owner, Bed.Seen before, Bed.Seen after) {}

    @BeforeAll
    static void build() throws Exception {
        LocalAgents.build();
        transport = new UnixTransport(new TransportDefaults());
    }

    @Test
    void aWorkloadThatEndsBeforeItHasBegunGoesOnOnTheOldKernel() throws Exception {
        Story story = play("ends", Victim.DAEMON, -1, false);
        assertThat(story.state().why()).contains("ended with status 1 on the new kernel before it had begun");
        wentBack(story);
    }

    @Test
    void aWorkloadThatDoesNotBeginGoesOnOnTheOldKernel() throws Exception {
        Story story = play("hangs", Victim.DAEMON, -1, true);
        assertThat(story.state().why()).contains("does not begin on the new kernel");
        wentBack(story);
    }

    private static void wentBack(Story story) {
        assertThat(story.state().outcome()).as("%s", story).isEqualTo(Outcome.ROLLED_BACK);
        runsOnTheOldKernel(story);
    }

    private static void runsOnTheOldKernel(Story story) {
        assertThat(story.owner()).as("%s", story).isEqualTo(1);
        assertThat(story.workloads()).as("%s", story).isEqualTo(1);
        assertThat(story.before().wrong() + story.after().wrong())
                .as("%s", story)
                .isZero();
        assertThat(story.after().lost() + story.after().closed())
                .as("%s", story)
                .isZero();
        assertThat(story.after().answers()).as("%s", story).isPositive();
    }

    @ParameterizedTest
    @EnumSource
    void killedAtEveryMoment(Victim victim) throws Exception {
        List<String> moments = moments();
        assertThat(moments).contains("after GIVE_BACK to 2", "before journal RETURNED");
        // what comes before is no other than where all goes well: KilledAnywhereTest
        for (int at = moments.indexOf("before ACTIVATE to 2"); at < moments.size(); at++) {
            Story story = play(victim + " killed at " + at, victim, at, false);
            if (victim == Victim.DAEMON) {
                // NONE: it died before it had begun, and there was nothing to go on with
                assertThat(story.state().outcome()).as("%s", story).isIn(Outcome.ROLLED_BACK, Outcome.NONE);
                runsOnTheOldKernel(story);
            } else {
                judge(victim, story);
            }
        }
    }

    /** Where an agent has died clients may lose their connections; they are never told anything wrong, and never by two. */
    private static void judge(Victim victim, Story story) {
        assertThat(story.workloads()).as("%s", story).isLessThanOrEqualTo(1);
        assertThat(story.before().wrong() + story.after().wrong())
                .as("%s", story)
                .isZero();
        if (victim == Victim.NEW && story.state().outcome() == Outcome.ROLLED_BACK) {
            assertThat(story.owner()).as("%s", story).isEqualTo(1);
            assertThat(story.workloads()).as("%s", story).isEqualTo(1);
        }
    }

    private List<String> moments() throws Exception {
        try (Bed bed = bed(directory.resolve("counted"), false)) {
            Faults faults = Faults.none();
            MorphRun run = bed.run(Bed.plan(), faults);
            run.begin(true);
            run.finished().get(Bed.PATIENCE_SECONDS, TimeUnit.SECONDS);
            return faults.moments();
        }
    }

    private Bed bed(Path place, boolean hangs) throws Exception {
        Path stumble = Files.createDirectories(place).resolve("stumble");
        if (hangs) {
            new ProcessBuilder("mkfifo", stumble.toString()).start().waitFor();
        } else {
            Files.createFile(stumble);
        }
        return new Bed(place, transport, "--stumble=" + stumble);
    }

    private Story play(String title, Victim victim, int at, boolean hangs) throws Exception {
        try (Bed bed = bed(directory.resolve(title.replace(' ', '-')), hangs)) {
            Bed.Seen begun = bed.ask();
            AtomicReference<MorphRun> run = new AtomicReference<>();
            AtomicReference<Faults> faults = new AtomicReference<>();
            CompletableFuture<Void> dead = new CompletableFuture<>();
            faults.set(new Faults(at, () -> {
                if (victim == Victim.DAEMON) {
                    faults.get().die();
                    dead.complete(null);
                } else {
                    bed.killAgent(victim == Victim.OLD ? 1 : 2, run.get());
                }
            }));
            run.set(bed.run(Bed.plan(), faults.get()));
            run.get().begin(true);
            CompletableFuture.anyOf(run.get().finished(), dead).get(Bed.PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (dead.isDone()) {
                bed.succeed(run);
            }
            assertThat(begun.wrong()).isZero();
            Bed.Seen before = bed.ask();
            AtomicReference<Bed.Seen> now = new AtomicReference<>(new Bed.Seen(0, 0, 0, 0, 0));
            int owner = bed.agents
                    .agent(Bed.NAME)
                    .map(agent -> agent.instance().id())
                    .orElse(0);
            long workloads = bed.agents.workloads();
            if (victim == Victim.DAEMON) {
                Awaitility.await()
                        .atMost(Duration.ofSeconds(Bed.PATIENCE_SECONDS))
                        .until(() -> {
                            now.set(now.get().and(bed.ask()));
                            return now.get().answers() > 0;
                        });
            }
            String moment = at < 0 || at >= faults.get().moments().size()
                    ? "never"
                    : faults.get().moments().get(at);
            return new Story(
                    title + " (" + moment + ")",
                    run.get().state(),
                    workloads,
                    owner,
                    before,
                    now.get().and(bed.end()));
        }
    }
}
