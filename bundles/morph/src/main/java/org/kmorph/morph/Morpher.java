// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.MorphException.Reason;
import org.kmorph.api.morph.MorphPhase;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.morph.StateTransfer;
import org.kmorph.api.time.Randomness;
import org.kmorph.morph.core.Mark;
import org.kmorph.morph.core.MorphState;
import org.kmorph.morph.core.Outcome;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The morphs, without a framework around them: {@link #takeOver} goes on with what the journal says is under way. Thread-safe. */
public final class Morpher implements Morphs, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Morpher.class);

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(5);
    private static final int MOST_NAME = 58;

    private final Map<String, MorphRun> runs = new ConcurrentHashMap<>();
    private final Map<String, MorphStatus> last = new ConcurrentHashMap<>();
    private final CompletableFuture<Void> resumed = new CompletableFuture<>();
    private final Surroundings around;
    private final Randomness randomness;

    public Morpher(Surroundings around, Randomness randomness) {
        this.around = around;
        this.randomness = randomness;
    }

    /**
     * Goes on with the morphs that a former daemon began. Nobody else does when this is called.
     *
     * @throws IllegalArgumentException when a record is none of ours
     */
    public void takeOver() throws JournalException, InterruptedException {
        awaitInstances();
        for (JournalRecord record : around.journal().get().latest(Plan.KIND)) {
            resume(Plan.of(record.entry()));
        }
        resumed.complete(null);
    }

    /** Until what a former daemon left is read: what is not found passes for gone. */
    private void awaitInstances() throws InterruptedException {
        while (true) {
            try {
                around.instances().get().awaitRead(PATIENCE);
                return;
            } catch (InstanceException e) {
                LOG.error("no morph can go on yet: {}", e.getMessage());
                around.time().sleep(BETWEEN_LOOKS);
            }
        }
    }

    private void resume(Plan plan) {
        LOG.info("the morph of \"{}\" was {}; resumed", plan.instance(), plan.mark());
        MorphRun run = new MorphRun(plan, around, false, status -> {}, this::over);
        runs.put(plan.instance(), run);
        run.resume();
    }

    /** The host has seen a kernel end. */
    public void ended(int id, String how) {
        try {
            around.workers().execute(() -> runs.values().forEach(run -> run.kernelEnded(id, how)));
        } catch (RejectedExecutionException e) {
            LOG.debug("the end of instance {} is for the next morph bundle to find", id, e);
        }
    }

    /** Leaves everything as it is: who comes after goes on from the journal. Nothing acts any more when it returns. */
    @Override
    public void close() {
        runs.values().forEach(MorphRun::abandon);
        around.timers().shutdownNow();
        around.workers().shutdownNow();
        boolean interrupted = false;
        while (!around.workers().isTerminated()) {
            try {
                around.workers().awaitTermination(1, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void over(MorphRun run) {
        last.put(run.plan().instance(), run.status());
        runs.remove(run.plan().instance(), run);
    }

    @Override
    public MorphStatus prepare(
            String instance, Path kernel, StateTransfer transfer, Duration timeout, Consumer<MorphStatus> progress)
            throws MorphException, InterruptedException {
        MorphRun run = open(instance, kernel, transfer, progress);
        run.begin(false);
        return rested(run, run.atRest(), timeout);
    }

    @Override
    public MorphStatus dryRun(String instance, Path kernel, StateTransfer transfer, Duration timeout)
            throws MorphException, InterruptedException {
        MorphRun run = open(instance, kernel, transfer, status -> {});
        run.begin(false);
        MorphStatus prepared = rested(run, run.atRest(), timeout);
        run.rollBack("it was a dry run");
        await(run, run.settled(), timeout);
        return prepared;
    }

    @Override
    public MorphStatus validate(String instance, Duration timeout) throws MorphException, InterruptedException {
        MorphRun run = prepared(instance);
        try {
            Optional<String> refusal = around.time().await(run.validate(), timeout);
            if (refusal.isPresent()) {
                throw new MorphException(
                        Reason.FAILED, "the morph of \"" + instance + "\" stays prepared: " + refusal.get());
            }
            return run.status();
        } catch (ExecutionException | TimeoutException e) {
            throw new MorphException(
                    Reason.TIMED_OUT, "the morph of \"" + instance + "\" could not be validated: " + e.getMessage(), e);
        }
    }

    @Override
    public MorphStatus commit(String instance, Duration timeout) throws MorphException, InterruptedException {
        MorphRun run = prepared(instance);
        run.commit();
        return rested(run, run.settled(), timeout);
    }

    @Override
    public MorphStatus rollback(String instance) throws MorphException, InterruptedException {
        MorphRun run = runs.get(instance);
        if (run != null && run.state().outcome() == Outcome.COMMITTED && !run.mayGoBack()) {
            throw new MorphException(Reason.REFUSED, committedAlready(run.plan()));
        }
        if (run == null || run.state().step().phase() == MorphPhase.RUNNING && !run.mayGoBack()) {
            throw new MorphException(Reason.REFUSED, "no morph of \"" + instance + "\" is under way");
        }
        run.rollBack("asked for");
        MorphState end = await(run, run.settled(), PATIENCE.multipliedBy(2));
        return switch (end.outcome()) {
            case ROLLED_BACK -> run.status();
            case COMMITTED -> throw new MorphException(Reason.REFUSED, committedAlready(run.plan()));
            case NONE, FAILED ->
                throw new MorphException(
                        Reason.FAILED, "the morph of \"" + instance + "\" was not rolled back: " + end.why());
        };
    }

    /** It has begun there; the old kernel's state is that of the freeze. The way back is another morph, with the state of now. */
    private String committedAlready(Plan plan) {
        String image = around.instances()
                .get()
                .find(plan.aside())
                .map(old -> old.spec().kernel().toString())
                .orElse("PATH");
        return "the morph of \"" + plan.instance()
                + "\" is committed: its workload has run on the new kernel since and may have"
                + " answered clients, so the old kernel's state is stale and is not put back; `morph " + plan.instance()
                + " --kernel=" + image + " --auto-commit` takes the workload back as it is now";
    }

    private MorphRun prepared(String instance) throws MorphException, InterruptedException {
        MorphRun run = runs.get(instance);
        if (run == null || !run.status().prepared()) {
            throw new MorphException(
                    Reason.REFUSED,
                    "no morph of \"" + instance + "\" is prepared; `morph prepare " + instance
                            + " --kernel=PATH` does that");
        }
        return run;
    }

    private MorphRun open(String name, Path kernel, StateTransfer transfer, Consumer<MorphStatus> progress)
            throws MorphException, InterruptedException {
        try {
            around.time().await(resumed, PATIENCE);
        } catch (TimeoutException | ExecutionException e) {
            throw new MorphException(Reason.TIMED_OUT, "the morphs are not read from the journal yet; try again", e);
        }
        Instance instance = around.instances()
                .get()
                .find(name)
                .orElseThrow(() -> new MorphException(
                        Reason.NO_SUCH_INSTANCE, "no instance \"" + name + "\"; `list` shows those there are"));
        if (instance.state() != InstanceState.RUNNING) {
            throw new MorphException(
                    Reason.REFUSED,
                    "instance \"" + name + "\" is " + instance.state() + "; only a RUNNING one can morph");
        }
        if (instance.spec().workload().isEmpty()) {
            throw new MorphException(
                    Reason.REFUSED,
                    "instance \"" + name
                            + "\" has no workload, so there is nothing to move; terminate it and spawn another");
        }
        if (name.length() > MOST_NAME || !InstanceSpec.isName(name + "-next")) {
            throw new MorphException(
                    Reason.REFUSED,
                    "the name \"" + name + "\" is too long for a morph; at most " + MOST_NAME + " characters");
        }
        UUID operation = new UUID(randomness.nextLong(), randomness.nextLong());
        Plan plan = new Plan(
                operation,
                name,
                instance.id(),
                Optional.empty(),
                kernel,
                transfer == StateTransfer.NONE,
                reachEachOther(instance),
                around.time().now(),
                instance.imageRelease(),
                Mark.BEGUN);
        MorphRun run = new MorphRun(plan, around, transfer == StateTransfer.COMPRESSED, progress, this::over);
        MorphRun there = runs.putIfAbsent(name, run);
        if (there != null && there.state().outcome() == Outcome.COMMITTED && there.hasBegun()) {
            // its old kernel makes room for the next one
            there.endWindow();
            await(there, there.finished(), PATIENCE);
            there = runs.putIfAbsent(name, run);
        }
        if (there != null) {
            throw new MorphException(
                    Reason.REFUSED,
                    "a morph of \"" + name + "\" is under way already ("
                            + there.state().step().phase() + "); commit it or roll it back first");
        }
        return run;
    }

    /** The new kernel's agent will be of the same host as the old one's: both are processes of this machine, or neither. */
    private static boolean reachEachOther(Instance instance) {
        return instance.endpoint().map(at -> at.scheme().equals("unix")).orElse(false);
    }

    private MorphStatus rested(MorphRun run, CompletableFuture<MorphState> rest, Duration timeout)
            throws MorphException, InterruptedException {
        MorphState end = await(run, rest, timeout);
        return switch (end.outcome()) {
            case NONE, COMMITTED -> run.status();
            case ROLLED_BACK ->
                throw new MorphException(
                        Reason.ROLLED_BACK,
                        "the morph of \"" + run.plan().instance() + "\" was rolled back: " + end.why());
            case FAILED ->
                throw new MorphException(
                        Reason.FAILED, "the morph of \"" + run.plan().instance() + "\" failed: " + end.why());
        };
    }

    private MorphState await(MorphRun run, CompletableFuture<MorphState> rest, Duration timeout)
            throws MorphException, InterruptedException {
        try {
            return around.time().await(rest, timeout);
        } catch (TimeoutException e) {
            run.rollBack("it took longer than " + timeout.toSeconds() + " s");
            throw new MorphException(
                    Reason.TIMED_OUT,
                    "the morph of \"" + run.plan().instance() + "\" took longer than " + timeout.toSeconds()
                            + " s and is rolled back if it still can be; `morph status "
                            + run.plan().instance()
                            + "` tells",
                    e);
        } catch (InterruptedException e) {
            run.rollBack("cancelled");
            throw e;
        } catch (ExecutionException e) {
            throw new MorphException(Reason.FAILED, e.getCause().getMessage(), e);
        }
    }

    @Override
    public Optional<MorphStatus> find(String instance) {
        return Optional.ofNullable(runs.get(instance))
                .map(MorphRun::status)
                .or(() -> Optional.ofNullable(last.get(instance)));
    }

    @Override
    public List<MorphStatus> list() {
        return runs.values().stream().map(MorphRun::status).toList();
    }
}
