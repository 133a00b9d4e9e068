// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.StandardPolicy;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmp.message.Cause;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All who are being healed. One thread moves their state machines; a step is written down before anything of it is done; what it wants
 * done blocks, and is done by others, a bounded number at once. Thread-safe.
 */
final class Ward implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ward.class);

    /** When a step that could not be written down is tried again. */
    private static final Duration WRITE_AGAIN = Duration.ofSeconds(1);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(5);

    private final Casebook casebook;
    private final Hands hands;
    private final Supplier<Policies> policies;
    private final Bulletin bulletin;
    private final IntFunction<List<String>> consoles;
    private final TimeSource time;
    private final Pace pace = new Pace();
    private final Map<String, Case> open = new ConcurrentHashMap<>();
    private final Randomness randomness;
    /** What people wait for. */
    private final Set<CompletableFuture<RecoveryReport>> asked = Collections.synchronizedSet(new LinkedHashSet<>());

    private final ScheduledExecutorService loop;
    private final ExecutorService workers;
    private final Duration startPatience;
    private final AtomicInteger starting = new AtomicInteger();
    private volatile boolean closing;

    /** One who is being healed. Of the loop's thread alone, but for the future. */
    private static final class Case {
        private Healing healing;
        private long generation;
        private final CompletableFuture<RecoveryReport> over = new CompletableFuture<>();

        Case(Healing healing) {
            this.healing = healing;
        }
    }

    /**
     * @param consoles what the instance of an id has written to its console last
     * @param loop one thread
     * @param workers as many recoveries do something at once. After their shutdown both discard what they are given
     * @param startPatience how long a start that is under way may take to end when this is closed: one that is cut off is undone
     */
    Ward(
            Casebook casebook,
            Hands hands,
            Supplier<Policies> policies,
            Bulletin bulletin,
            IntFunction<List<String>> consoles,
            TimeSource time,
            Randomness randomness,
            ScheduledExecutorService loop,
            ExecutorService workers,
            Duration startPatience) {
        this.casebook = casebook;
        this.hands = hands;
        this.policies = policies;
        this.bulletin = bulletin;
        this.consoles = consoles;
        this.time = time;
        this.randomness = randomness;
        this.loop = loop;
        this.workers = workers;
        this.startPatience = startPatience;
    }

    /** Goes on with what the journal says is under way, and at the pace at which recoveries have begun. */
    void takeOver() throws JournalException, InterruptedException {
        hands.awaitInstances();
        for (Map.Entry<String, Duration> begun : casebook.begun(Pace.WINDOW)) {
            pace.begun(begun.getKey(), time.nanos() - begun.getValue().toNanos());
        }
        for (Casebook.Open found : casebook.open()) {
            Healing healing = found.healing();
            LOG.info(
                    "the recovery of instance \"{}\" goes on from {}",
                    healing.patient().name(),
                    healing.state());
            Case one = new Case(healing);
            one.generation = found.generation();
            if (!healing.state().over()) {
                open.put(healing.patient().name(), one);
            }
            loop.execute(() -> perform(one, healing.resume(found.since()).actions()));
        }
    }

    /** An instance is confirmed to have failed. Told again and again, as long as that is so. */
    void failed(Instance instance, HealthReport report) {
        if (!open.containsKey(instance.name())) {
            loop.execute(() -> admit(instance, report));
        }
    }

    private void admit(Instance instance, HealthReport report) {
        String name = instance.name();
        Policies now = policies.get();
        if (open.containsKey(name)
                || instance.state() != InstanceState.RUNNING
                || !instance.spec().monitor()
                || !now.value(name, StandardPolicy.AUTO_HEAL)) {
            return;
        }
        if (casebook.isBeingMorphed(name)) {
            return;
        }
        if (pace.holdUntil(name, time.nanos()).isPresent()) {
            LOG.warn(
                    "instance \"{}\" has failed after others have: its recovery waits, for this looks like a cascade",
                    name);
            return;
        }
        Cause cause = report.end().map(Ward::causeOf).orElse(Cause.SILENCE);
        begin(instance, Optional.of(report), cause, report.reason(), "policy", new CompletableFuture<>());
    }

    /** An instance is fenced, and no command or recovery of ours has done that. Told again and again, as long as that is so. */
    void fenced(Instance instance) {
        if (!open.containsKey(instance.name())) {
            loop.execute(() -> admitFenced(instance));
        }
    }

    private void admitFenced(Instance instance) {
        String name = instance.name();
        if (open.containsKey(name)
                || !policies.get().value(name, StandardPolicy.AUTO_HEAL)
                || casebook.isBeingMorphed(name)
                || pace.holdUntil(name, time.nanos()).isPresent()) {
            return;
        }
        try {
            Optional<String> ended = casebook.endedMorph(instance);
            if (ended.isPresent() && !casebook.isBeingTerminated(instance)) {
                String reason = "its morph has fenced it: " + ended.get();
                begin(instance, Optional.empty(), Cause.EXIT, reason, "policy", new CompletableFuture<>());
            }
        } catch (JournalException e) {
            LOG.error(
                    "instance \"{}\" is FENCED; whether that is for healing cannot be told: {}", name, e.getMessage());
        }
    }

    private static Cause causeOf(String end) {
        return end.contains("panic") ? Cause.PANIC : Cause.EXIT;
    }

    /** A person wants it healed. @return completes when it is over */
    CompletableFuture<RecoveryReport> recover(Instance instance, Optional<HealthReport> report, String by) {
        CompletableFuture<RecoveryReport> result = new CompletableFuture<>();
        asked.add(result);
        result.whenComplete((over, failure) -> asked.remove(result));
        if (loop.isShutdown()) {
            result.completeExceptionally(replaced());
        }
        loop.execute(() -> {
            Case there = open.get(instance.name());
            if (there == null && casebook.isBeingMorphed(instance.name())) {
                result.completeExceptionally(beingMorphed(instance.name()));
            } else if (there == null) {
                begin(instance, report, Cause.OPERATOR, "asked for by " + by, by, result);
            } else {
                there.over.whenComplete((over, failure) -> {
                    if (failure == null) {
                        result.complete(over);
                    } else {
                        result.completeExceptionally(failure);
                    }
                });
            }
        });
        return result;
    }

    private void begin(
            Instance instance,
            Optional<HealthReport> report,
            Cause cause,
            String reason,
            String by,
            CompletableFuture<RecoveryReport> result) {
        try {
            Treatment treatment = treatment(instance);
            int crashes = cause == Cause.OPERATOR ? 0 : 1 + casebook.crashes(instance.name(), treatment.window());
            Patient patient = new Patient(
                    new UUID(randomness.nextLong(), randomness.nextLong()),
                    instance.id(),
                    instance.spec(),
                    cause,
                    reason,
                    by,
                    report.flatMap(HealthReport::lastHeartbeat)
                            .map(heartbeat -> heartbeat.bootId())
                            .orElse(0L),
                    crashes,
                    Evidence.of(instance, report, consoles.apply(instance.id()), time));
            Healing.Step first = Healing.begin(patient, treatment);
            Case made = new Case(first.healing());
            made.generation = casebook.write(first.healing());
            made.over.whenComplete((over, failure) -> {
                if (failure == null) {
                    result.complete(over);
                } else {
                    result.completeExceptionally(failure);
                }
            });
            open.put(instance.name(), made);
            pace.begun(instance.name(), time.nanos());
            bulletin.tell(made.healing);
            perform(made, first.actions());
        } catch (JournalException e) {
            LOG.error(
                    "the recovery of instance \"{}\" cannot begin, for it cannot be recorded: {}",
                    instance.name(),
                    e.getMessage());
            result.completeExceptionally(e);
        }
    }

    private Treatment treatment(Instance instance) throws JournalException {
        return RecoverySettings.of(
                policies.get(), instance.name(), casebook.kernelBefore(instance), hands.canCapture(instance));
    }

    private void perform(Case one, List<Healing.Action> actions) {
        for (Healing.Action action : actions) {
            if (action instanceof Healing.Action.WaitFor wait) {
                loop.schedule(
                        () -> happened(one, new Healing.Event.Due()),
                        wait.time().toNanos(),
                        TimeUnit.NANOSECONDS);
            } else {
                Healing healing = one.healing;
                long generation = one.generation;
                workers.execute(() -> work(one, healing, generation, action));
            }
        }
    }

    private void work(Case one, Healing healing, long generation, Healing.Action action) {
        int starts = action instanceof Healing.Action.Start ? 1 : 0;
        starting.addAndGet(starts);
        try {
            if (!closing) {
                Healing.Event event = hands.perform(action, healing, generation);
                loop.execute(() -> happened(one, event));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            starting.addAndGet(-starts);
        }
    }

    private void happened(Case one, Healing.Event event) {
        Healing.Step step = one.healing.on(event);
        if (!step.healing().equals(one.healing)) {
            try {
                one.generation = casebook.write(step.healing());
            } catch (JournalException e) {
                LOG.error(
                        "the recovery of instance \"{}\" waits, for its next step cannot be recorded: {}",
                        one.healing.patient().name(),
                        e.getMessage());
                loop.schedule(() -> happened(one, event), WRITE_AGAIN.toNanos(), TimeUnit.NANOSECONDS);
                return;
            }
            boolean wasOver = one.healing.state().over();
            one.healing = step.healing();
            if (!wasOver) {
                bulletin.tell(one.healing);
            }
            if (event instanceof Healing.Event.BeingMorphed) {
                open.remove(one.healing.patient().name());
                one.over.completeExceptionally(
                        beingMorphed(one.healing.patient().name()));
            } else if (!wasOver && one.healing.state().over()) {
                discharge(one);
            }
        }
        perform(one, step.actions());
    }

    /** It may fail again from now on, though the survivors are yet to be told how it ended. */
    private void discharge(Case one) {
        open.remove(one.healing.patient().name());
        try {
            one.over.complete(casebook.report(one.healing.patient().operation().toString()));
        } catch (JournalException e) {
            one.over.completeExceptionally(e);
        }
    }

    /** What a recovery would do, for people. */
    List<String> plan(Instance instance) {
        try {
            return Plan.of(instance, treatment(instance), casebook);
        } catch (JournalException e) {
            return List.of("nothing: the journal cannot be read: " + e.getMessage());
        }
    }

    /** What was started by then its successor finds running. @return whether the caller was interrupted meanwhile: it waits all the same */
    private boolean awaitStarts() {
        long deadline = time.nanos() + startPatience.toNanos();
        boolean interrupted = false;
        while (starting.get() > 0 && time.nanos() < deadline) {
            try {
                time.sleep(BETWEEN_LOOKS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        return interrupted;
    }

    private static IllegalStateException beingMorphed(String name) {
        return new IllegalStateException(
                "instance \"" + name + "\" is being morphed; `morph rollback " + name + "` first");
    }

    private static IllegalStateException replaced() {
        return new IllegalStateException(
                "the recovery bundle is being replaced; what is under way goes on with its successor,"
                        + " what is not is to be asked for again: `recovery-log` shows it");
    }

    /** Leaves everything as it is: who comes after goes on from the journal. */
    @Override
    public void close() {
        closing = true;
        loop.shutdownNow();
        boolean interrupted = awaitStarts();
        workers.shutdownNow();
        // an action, or a record, that is cut off in its middle must have ended before another may act
        while (!loop.isTerminated() || !workers.isTerminated()) {
            try {
                ExecutorService busy = loop.isTerminated() ? workers : loop;
                if (!busy.awaitTermination(1, TimeUnit.SECONDS)) {
                    LOG.debug("a step of a recovery is still under way");
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        List.copyOf(asked).forEach(result -> result.completeExceptionally(replaced()));
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
