// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.morph.MorphPhase;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.morph.core.Event;
import org.kmorph.morph.core.Mark;
import org.kmorph.morph.core.MorphCore;
import org.kmorph.morph.core.MorphState;
import org.kmorph.morph.core.Outcome;
import org.kmorph.morph.core.Step;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One morph under way: hands what happens to the core, one after the other, and has the steps taken that it decides on. Thread-safe. */
final class MorphRun {
    private static final Logger LOG = LoggerFactory.getLogger(MorphRun.class);

    /** What must be left of a lease for a release. */
    static final Duration MARGIN = Duration.ofMillis(20);

    private static final Duration BETWEEN_PROGRESS = Duration.ofMillis(250);

    private final Surroundings around;
    private final MorphCore core;
    private final Conversation conversation;
    private final MorphSteps steps;
    private final Figures figures = new Figures();
    private final Consumer<MorphRun> over;
    private final Consumer<MorphStatus> progress;
    private final CompletableFuture<MorphState> settled = new CompletableFuture<>();
    private final CompletableFuture<MorphState> finished = new CompletableFuture<>();
    private final Deque<Runnable> events = new ArrayDeque<>();
    private boolean draining;
    private final Plan plan;
    private final long begunNanos;
    private volatile MorphState state = MorphState.NEW;
    private volatile CompletableFuture<MorphState> atRest = new CompletableFuture<>();
    private volatile int taken;
    private volatile Optional<Watch> watch = Optional.empty();
    private volatile boolean abandoned;

    /** @param compress whether state that is still to be moved is to be compressed, if it can be */
    MorphRun(
            Plan plan, Surroundings around, boolean compress, Consumer<MorphStatus> progress, Consumer<MorphRun> over) {
        this.plan = plan;
        this.around = around;
        this.begunNanos = around.time().nanos();
        this.progress = progress;
        this.over = over;
        this.core = new MorphCore(around.config().small_round_bytes(), MARGIN);
        this.conversation = new Conversation(
                plan.operation(),
                around.client(),
                around.time(),
                around.kept().apply(plan.operation()),
                plan.direct(),
                compress);
        this.steps = new MorphSteps(plan, around, conversation, figures, this::post);
    }

    Plan plan() {
        return plan;
    }

    MorphState state() {
        return state;
    }

    /** Completes when it is over, or committed and provisional. */
    CompletableFuture<MorphState> settled() {
        return settled;
    }

    /** Completes when it is prepared, settled, or wherever else it waits. */
    CompletableFuture<MorphState> atRest() {
        return atRest;
    }

    MorphStatus status() {
        MorphState now = state;
        return new MorphStatus(
                plan.instance(),
                plan.operation().toString(),
                now.step().phase(),
                now.step() == Step.PREPARED || now.mark() == Mark.PREPARED && now.step() == Step.PULL,
                plan.since(),
                plan.from(),
                steps.toRelease(),
                plan.kernel().toString(),
                now.rounds(),
                figures.moved() + conversation.ofRound().sent(),
                figures.unpacked() + conversation.ofRound().unpacked(),
                conversation.leftOfRound(),
                now.lastBytes(),
                figures.dirtyRate(),
                figures.transferRate(),
                figures.blackout(),
                figures.steps(),
                conversation.agreed(),
                conversation.checks(),
                now.outcome() == Outcome.NONE
                        ? ""
                        : now.outcome().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                now.why());
    }

    void begin(boolean autoCommit) {
        post(new Event.Begin(plan.cold(), plan.direct(), autoCommit));
    }

    /** Goes on with what a former daemon began. */
    void resume() {
        try {
            around.workers().execute(() -> {
                steps.resume();
                post(new Event.Restarted(plan.mark(), plan.cold(), plan.direct()));
            });
        } catch (RejectedExecutionException e) {
            abandon(); // closed while it waited for its turn
        }
    }

    void commit() {
        atRest = new CompletableFuture<>();
        post(new Event.CommitAsked());
    }

    /** Whether its workload is known to have begun on the new kernel: what the old one keeps is of no use any more. */
    boolean hasBegun() {
        return watch.map(Watch::hasBegun).orElse(false);
    }

    /** Ends the window in which the old kernel is kept. */
    void endWindow() {
        post(new Event.WindowOver());
    }

    /** Completes when nothing more is done. */
    CompletableFuture<MorphState> finished() {
        return finished;
    }

    /** Has the new kernel of a prepared morph try everything again. @return why not; empty for yes */
    CompletableFuture<Optional<String>> validate() {
        return steps.rehearse();
    }

    /** What has begun on the new kernel stays there. */
    void rollBack(String why) {
        if (!hasBegun()) {
            post(new Event.RollbackAsked(why));
        }
    }

    /** Whether it is provisional, and its workload is not known to have begun: the old kernel may still have it back. */
    boolean mayGoBack() {
        return state.step() == Step.PROVISIONAL && !hasBegun() || state.step().phase() == MorphPhase.ROLLING_BACK;
    }

    void kernelEnded(int id, String how) {
        if (id == plan.sourceId()) {
            steps.sourceEnded(how);
            post(new Event.SourceEnded(how));
        } else if (is(plan.target(), id)) {
            steps.targetEnded(how);
            post(new Event.TargetEnded(how));
        } else if (is(plan.instance(), id)) {
            post(new Event.TargetEnded(how));
        }
    }

    private boolean is(String name, int id) {
        return around.instances()
                .get()
                .find(name)
                .map(Instance::id)
                .filter(found -> found == id)
                .isPresent();
    }

    private void post(Event event) {
        enqueue(() -> apply(event));
    }

    /** What came of a step; nothing if the morph has gone elsewhere meanwhile. */
    private void post(int number, Event event) {
        enqueue(() -> {
            if (number == taken) {
                apply(event);
            }
        });
    }

    private void enqueue(Runnable event) {
        synchronized (events) {
            events.add(event);
            if (draining) {
                return;
            }
            draining = true;
        }
        while (true) {
            Runnable next;
            synchronized (events) {
                next = events.poll();
                if (next == null) {
                    draining = false;
                    return;
                }
            }
            next.run();
        }
    }

    private void apply(Event event) {
        if (abandoned) {
            return; // what is still heard of it is the successor's
        }
        MorphState before = state;
        MorphState after = core.after(before, event, around.time().nanos());
        if (after.equals(before)) {
            return;
        }
        state = after;
        boolean same = after.step() == before.step() && after.attempts() == before.attempts();
        if (after.step().phase() != MorphPhase.COMMITTING) {
            LOG.debug("morph of \"{}\": {} -> {} {}", plan.instance(), before.step(), after.step(), after.why());
            progress.accept(status());
        }
        if (same) {
            return;
        }
        int number = ++taken;
        try {
            take(number, after);
        } catch (RejectedExecutionException e) {
            abandon(); // the bundle was closed a moment ago
        } catch (RuntimeException e) {
            post(number, new Event.Failed(e.getMessage() == null ? e.toString() : e.getMessage(), true));
        }
    }

    private void take(int number, MorphState now) {
        switch (now.step()) {
            case PREPARED -> rest(number);
            case PROVISIONAL -> provisional(number);
            case OVER -> finish();
            case PULL, PULL_LAST -> {
                steps.take(number, now);
                watch(number);
            }
            default -> steps.take(number, now);
        }
    }

    /** A round may be long: whoever looks on sees it move. */
    private void watch(int number) {
        later(
                BETWEEN_PROGRESS,
                () -> enqueue(() -> {
                    if (number == taken && state.mark() == Mark.BEGUN) {
                        progress.accept(status());
                        watch(number);
                    }
                }));
    }

    private void later(Duration delay, Runnable what) {
        try {
            around.timers().schedule(what, delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            abandon(); // the bundle was closed a moment ago
        }
    }

    private void rest(int number) {
        atRest.complete(state);
        later(Duration.ofMillis(around.config().refresh_millis()), () -> rested(number));
    }

    private void rested(int number) {
        if (expired()) {
            post(number, new Event.RollbackAsked("it was prepared for too long"));
        } else if (plan.cold()) {
            enqueue(() -> {
                if (number == taken) {
                    rest(number); // no state is to be made fresh
                }
            });
        } else {
            post(number, new Event.Refresh());
        }
    }

    /** By the wall clock, which outlives daemons; and by the other, for somebody may set that. */
    private boolean expired() {
        Duration most = Duration.ofSeconds(around.config().prepared_expires_seconds());
        return plan.since().plus(most).isBefore(around.time().now())
                || around.time().nanos() - begunNanos >= most.toNanos();
    }

    private void provisional(int number) {
        LOG.info(
                "instance \"{}\" was morphed from {} to {} in {} ms",
                plan.instance(),
                plan.from(),
                steps.toRelease(),
                figures.blackout().map(nanos -> nanos / 1e6).orElse(0.0));
        progress.accept(status());
        Consumer<Runnable> turns = task -> enqueue(() -> {
            if (number == taken && !abandoned) {
                task.run();
            }
        });
        watch = Optional.of(new Watch(around, conversation, turns, number, this::post, steps.hasBegun(), this::begun));
        watch.get().look();
    }

    /** Whoever waits for the commit waits for the workload too. */
    private void begun() {
        settled.complete(state);
        atRest.complete(state);
    }

    private void finish() {
        steps.close();
        if (state.outcome() == Outcome.FAILED) {
            LOG.error("morph of \"{}\" failed: {}", plan.instance(), state.why());
        } else if (state.outcome() == Outcome.ROLLED_BACK) {
            LOG.warn("morph of \"{}\" was rolled back: {}", plan.instance(), state.why());
        }
        settled.complete(state);
        atRest.complete(state);
        over.accept(this);
        finished.complete(state);
    }

    /** Leaves it to the successor of this bundle. */
    void abandon() {
        abandoned = true;
        steps.close();
        settled.completeExceptionally(new JournalException("the daemon's morph bundle is replaced"));
        atRest.completeExceptionally(new JournalException("the daemon's morph bundle is replaced"));
    }
}
