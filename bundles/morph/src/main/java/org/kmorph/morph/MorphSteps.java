// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.morph.MorphStep;
import org.kmorph.api.recovery.RecoveryState;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.message.Cause;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.morph.core.Event;
import org.kmorph.morph.core.Mark;
import org.kmorph.morph.core.MorphState;
import org.kmorph.morph.core.Step;
import org.kmorph.nativeos.Urgency.Hurry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the steps of one morph that the core decides on. Those that only wait for an agent run on the threads that bring its answers, the
 * others on workers. Thread-safe.
 */
final class MorphSteps implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MorphSteps.class);

    /** How long nothing may come of a round, or of the disk before that is said. */
    private static final Duration SILENT = Duration.ofSeconds(10);

    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final Duration EXPIRES = Duration.ofSeconds(60);
    private static final Duration FINAL = Duration.ofSeconds(2);

    /** In these the workload stands still, and the thread that hears of one takes the next. */
    private static final Set<Step> FROZEN = EnumSet.of(
            Step.FREEZE, Step.VALIDATE_FINAL, Step.RELEASE, Step.HAND_OVER, Step.RECORD_RELEASED, Step.ACTIVATE);

    private final Plan plan;
    private final Surroundings around;
    private final Kernels kernels;
    private final Conversation conversation;
    private final Figures figures;
    private final Report report;
    private volatile String toRelease = "";
    private volatile Optional<String> sourceEnd = Optional.empty();
    private volatile Optional<String> targetEnd = Optional.empty();
    private volatile boolean hasBegun;
    private volatile boolean targetSeen;
    private final ReadyNote released;
    private volatile CompletableFuture<Void> recording = CompletableFuture.completedFuture(null);
    private Optional<Hurry> hurry = Optional.empty();

    /** Hears what came of the step that has this number. */
    @FunctionalInterface
    interface Report {
        void accept(int number, Event event);
    }

    MorphSteps(Plan plan, Surroundings around, Conversation conversation, Figures figures, Report report) {
        this.plan = plan;
        this.around = around;
        this.kernels = new Kernels(plan, around);
        this.released = new ReadyNote(around.journal(), kernels::plan);
        this.conversation = conversation;
        this.figures = figures;
        this.report = report;
    }

    /** The new kernel's release, once it is known. */
    String toRelease() {
        return toRelease;
    }

    /** Whether the new kernel has said that its workload has begun. */
    boolean hasBegun() {
        return hasBegun;
    }

    /** The host has seen the old kernel end. */
    void sourceEnded(String how) {
        sourceEnd = Optional.of(how);
    }

    /** The host has seen the new kernel end. */
    void targetEnded(String how) {
        targetEnd = Optional.of(how);
    }

    /** Goes on with what a former daemon began. Blocks. */
    void resume() {
        kernels.source().or(kernels::setAside).ifPresent(conversation::source);
        kernels.newKernel().ifPresent(target -> {
            toRelease = target.imageRelease();
            conversation.target(target);
        });
    }

    /** Takes the step of a state; one at which the morph only waits is none. */
    void take(int number, MorphState now) {
        hurry(FROZEN.contains(now.step()));
        switch (now.step()) {
            case SPAWN_TARGET -> {
                kernels.spawns();
                work(number, this::spawnTarget);
            }
            case PREPARE_SOURCE -> done(number, prepare(Role.SOURCE, now.cold(), kernels.targetId()));
            case PREPARE_TARGET -> done(number, prepare(Role.TARGET, now.cold(), plan.sourceId()));
            case NEGOTIATE -> on(number, conversation.negotiate(), Answers::verdict);
            case PULL, PULL_LAST -> pull(number);
            case REHEARSE, REHEARSE_LAST -> on(number, rehearse(), Answers::verdict);
            case RECORD_PREPARED -> record(number, Mark.PREPARED, now.why());
            case RECORD_RELEASING -> record(number, Mark.RELEASING, now.why());
            case RECORD_RELEASED -> note(number, Mark.RELEASED, now.why());
            case RECORD_COMMITTED -> record(number, Mark.COMMITTED, now.why());
            case FREEZE -> freeze(number);
            case VALIDATE_FINAL -> on(number, conversation.validate(ValidateScope.FINAL, FINAL), Answers::verdict);
            case RELEASE -> on(number, source(CommitPhase.RELEASE, Duration.ZERO), this::released);
            case HAND_OVER -> handOver(number, now.why());
            case RETIRE -> on(number, source(CommitPhase.RETIRE, GRACE), this::released);
            case ASK_SOURCE -> on(number, source(CommitPhase.QUERY, Duration.ZERO), this::released);
            case FENCE_SOURCE, FENCE_SPENT -> work(number, () -> kernels.persisting(kernels::fenceSource));
            case CHECK_TARGET, ASK_TARGET -> on(number, target(CommitPhase.QUERY), Answers::standing);
            case ACTIVATE -> activate(number);
            case FENCE_TARGET, FENCE_SUCCESSOR, REMOVE_TARGET -> work(number, () -> kernels.ended(plan.target()));
            case RESTORE -> work(number, () -> kernels.persisting(() -> restore(now.cold())));
            case RECORD_LOST -> record(number, Mark.LOST, now.why());
            case TAKE_NAME -> work(number, kernels::takeName);
            case REMOVE_SOURCE -> work(number, () -> kernels.ended(plan.aside()));
            case READY_SOURCE -> takeBack(number, TakingBack::ready);
            case ASK_WORKLOAD -> on(number, target(CommitPhase.QUERY), Watch::found);
            case RECORD_RETURNING -> record(number, Mark.RETURNING, now.why());
            case GIVE_BACK -> on(number, target(CommitPhase.GIVE_BACK), Answers::givenBack);
            case RECORD_RETURNED -> note(number, Mark.RETURNED, now.why());
            case TAKE_BACK -> takeBack(number, TakingBack::run);
            case CLOSE_TARGET -> rollBackTarget(number, Cause.PEER_LOST);
            case TAKE_NAME_BACK -> work(number, kernels::takeNameBack);
            case FENCE_LOST -> work(number, () -> kernels.persisting(kernels::fenceLost));
            case ROLL_BACK_SOURCE -> rollBackSource(number);
            case ROLL_BACK_TARGET -> rollBackTarget(number, Cause.OPERATOR);
            case RECORD_OVER -> work(number, () -> recordOver(now));
            case PREPARED, PROVISIONAL, OVER -> throw new IllegalArgumentException(now.step() + " is no step to take");
        }
    }

    private synchronized void hurry(boolean wanted) {
        if (wanted && hurry.isEmpty()) {
            hurry = Optional.of(around.urgency().get().hurry());
        } else if (!wanted) {
            hurry.ifPresent(Hurry::close);
            hurry = Optional.empty();
        }
    }

    /** Has the new kernel of a prepared morph try everything again. @return why not; empty for yes */
    CompletableFuture<Optional<String>> rehearse() {
        return conversation.validate(
                ValidateScope.REHEARSAL, around.validation().apply(plan.instance()));
    }

    private CompletableFuture<?> prepare(Role role, boolean cold, long peer) {
        return conversation.prepare(role, cold, EXPIRES, peer);
    }

    private CompletableFuture<CommitAnswer> source(CommitPhase phase, Duration time) {
        return conversation.commit(Role.SOURCE, phase, time);
    }

    private CompletableFuture<CommitAnswer> target(CommitPhase phase) {
        return conversation.commit(Role.TARGET, phase, Duration.ZERO);
    }

    private void rollBackSource(int number) {
        if (!isOver(number, sourceEnd)) {
            on(
                    number,
                    conversation.rollBack(Role.SOURCE, Cause.OPERATOR),
                    answer -> new Event.SourceIs(Answers.sourceState(answer.state())));
        }
    }

    private void rollBackTarget(int number, Cause cause) {
        if (!isOver(number, targetEnd)) {
            done(number, conversation.rollBack(Role.TARGET, cause));
        }
    }

    /** Nobody waits for the answer of one that its host has seen end: healing waits for the morph. */
    private boolean isOver(int number, Optional<String> end) {
        end.ifPresent(how -> report.accept(number, new Event.Failed("it has ended: " + how, true)));
        return end.isPresent();
    }

    private <T> void done(int number, CompletableFuture<T> answer) {
        on(number, answer, value -> new Event.Done());
    }

    private <T> void on(int number, CompletableFuture<T> answer, Function<T, Event> meaning) {
        answer.whenComplete((value, failure) -> {
            if (failure == null) {
                report.accept(number, meaning.apply(value));
            } else if (Answers.isReplaced(failure)) {
                later(number, Answers.failed(failure));
            } else {
                report.accept(number, Answers.failed(failure));
            }
        });
    }

    private void later(int number, Event event) {
        later(Kernels.ACT_AGAIN, () -> report.accept(number, event));
    }

    private void later(Duration delay, Runnable what) {
        try {
            around.timers().schedule(what, delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the next daemon goes on with the morph of {}", plan.instance(), e);
        }
    }

    /** Something that the old kernel does to take the workload back. */
    @FunctionalInterface
    private interface Taking {
        void with(TakingBack source) throws IOException, InterruptedException;
    }

    private void takeBack(int number, Taking taking) {
        if (sourceEnd.isPresent()) {
            report.accept(number, new Event.SourceEnded(sourceEnd.get()));
            return;
        }
        work(number, () -> {
            taking.with(new TakingBack(
                    plan.wayBack(),
                    conversation.asking(Role.SOURCE),
                    around.validation().apply(plan.instance())));
            return new Event.Done();
        });
    }

    private Event released(CommitAnswer answer) {
        figures.step("the old kernel has let go", around.time().nanos());
        figures.steps(MorphStep.By.OLD, answer);
        return new Event.SourceIs(Answers.sourceState(answer.state()));
    }

    private void work(int number, Kernels.Work work) {
        around.workers().execute(() -> {
            Event result;
            try {
                result = work.run();
            } catch (InterruptedException e) {
                return; // this daemon ends; its successor resumes
            } catch (JournalException e) {
                notRecorded(number, e);
                return;
            } catch (IOException | InstanceException | RuntimeException e) {
                LOG.debug("morph of \"{}\"", plan.instance(), e);
                result = new Event.Failed(e.getMessage() == null ? e.toString() : e.getMessage(), false);
            }
            report.accept(number, result);
        });
    }

    private Instance spawn() throws InstanceException, InterruptedException, IOException {
        Instance target = kernels.spawn();
        targetEnd = Optional.empty();
        toRelease = target.imageRelease();
        conversation.target(target);
        return target;
    }

    private Event spawnTarget() throws InstanceException, InterruptedException, IOException {
        try {
            return spawnFirst();
        } finally {
            kernels.spawned();
        }
    }

    private Event spawnFirst() throws InstanceException, InterruptedException, IOException {
        around.journal().get().append(kernels.plan().entry("begun"));
        if (isBeingRecovered()) {
            throw new IOException("it is being recovered");
        }
        kernels.terminate(plan.aside());
        kernels.source().ifPresent(conversation::source);
        spawn();
        return new Event.Done();
    }

    private void pull(int number) {
        figures.roundBegins(around.time().nanos());
        CompletableFuture<Round> pulled = conversation.pull();
        if (!plan.direct()) {
            giveUpWhenSilent(pulled, -1);
        }
        on(number, pulled, round -> {
            figures.roundOver(round, around.time().nanos());
            return new Event.RoundOver(round.unpacked());
        });
    }

    /** A connection may be silent without ever being lost. */
    private void giveUpWhenSilent(CompletableFuture<Round> round, long heardBefore) {
        later(SILENT, () -> {
            long heard = conversation.heardOfRound();
            if (heard == heardBefore) {
                round.completeExceptionally(
                        new IOException("nothing of its state came for " + SILENT.toSeconds() + " s"));
            } else if (!round.isDone()) {
                giveUpWhenSilent(round, heard);
            }
        });
    }

    private Duration lease() {
        return Duration.ofMillis(around.config().lease_millis());
    }

    /** The source's lease begins when it hears of it, which is later than our word. */
    private long leaseEnd(long sent) {
        return sent + lease().toNanos();
    }

    private void freeze(int number) {
        long sent = around.time().nanos();
        figures.freezing(sent);
        CompletableFuture<Round> last = conversation.freeze(lease());
        later(lease(), () -> last.completeExceptionally(new IOException("its state did not come within the lease")));
        on(number, last, round -> {
            figures.finalRound(round);
            return new Event.Frozen(leaseEnd(sent));
        });
    }

    /** What can be done before the workload stands still is done first. */
    private void handOver(int number, String why) {
        released.make(Mark.RELEASED, why);
        targetSeen = kernels.targetEnding().isEmpty();
        long sent = around.time().nanos();
        figures.freezing(sent);
        report.accept(number, new Event.HandingOver(leaseEnd(sent)));
        on(number, conversation.handOver(lease()), this::released);
    }

    private void activate(int number) {
        // one that has been looked at just before the workload stood still has ended only if the host has said so since
        Optional<String> ended = targetSeen ? targetEnd : targetEnd.or(kernels::targetEnding);
        targetSeen = false;
        if (ended.isPresent()) {
            report.accept(number, new Event.TargetEnded(ended.get()));
            return;
        }
        on(number, target(CommitPhase.ACTIVATE), answer -> {
            long now = around.time().nanos();
            figures.step("the new kernel runs it", now);
            figures.steps(MorphStep.By.NEW, answer);
            figures.running(now);
            hasBegun = Watch.hasBegun(answer);
            return answer.state() == OperationState.ACTIVE
                    ? new Event.Done()
                    : new Event.Failed("it is " + answer.state(), false);
        });
    }

    private void record(int number, Mark mark, String why) {
        CompletableFuture<Void> written = new CompletableFuture<>();
        recording = written;
        work(number, () -> {
            try {
                around.journal().get().append(kernels.plan().marked(mark).entry(why));
            } finally {
                written.complete(null);
            }
            return new Event.Done();
        });
    }

    /** A record that is being written when the morph goes elsewhere would open it anew, behind the one that it is over. */
    private void awaitRecord() throws InterruptedException {
        while (true) {
            try {
                around.time().await(recording, SILENT);
                return;
            } catch (TimeoutException | ExecutionException e) {
                LOG.warn("morph of \"{}\": a record of it is being written still", plan.instance());
            }
        }
    }

    /** In the window in which nobody runs the workload neither the disk nor another thread is waited for: docs/morph.md says why. */
    private void note(int number, Mark mark, String why) {
        try {
            released.write(mark, why);
        } catch (JournalException e) {
            notRecorded(number, e);
            return;
        }
        figures.step("noted in the journal", around.time().nanos());
        report.accept(number, new Event.Done());
    }

    /** It may be tried again, so not at once. */
    private void notRecorded(int number, JournalException cause) {
        LOG.error("morph of \"{}\": {}", plan.instance(), cause.getMessage());
        later(number, new Event.Failed(cause.getMessage(), false));
    }

    private Event recordOver(MorphState now) throws IOException, InterruptedException {
        awaitRecord();
        conversation.forgetKept();
        around.journal()
                .get()
                .append(kernels.plan()
                        .marked(now.mark())
                        .end(
                                now.outcome().name(),
                                now.why(),
                                kernels.newKernel().map(Instance::id)));
        return new Event.Done();
    }

    private Event restore(boolean cold) throws InstanceException, InterruptedException, IOException {
        kernels.terminate(plan.target());
        spawn();
        conversation.restore(cold, around.validation().apply(plan.instance()));
        return new Event.Restored();
    }

    /** A recovery that had begun when our own record was written goes first. */
    private boolean isBeingRecovered() throws JournalException {
        return around.journal().get().latest("recovery").stream()
                .map(JournalRecord::entry)
                .filter(entry -> entry.instance().equals(Optional.of(plan.instance())))
                .anyMatch(entry ->
                        !RecoveryState.valueOf(entry.fields().get("state")).over());
    }

    @Override
    public void close() {
        hurry(false);
        conversation.close();
    }
}
