// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.Stream;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
import org.kmorph.api.host.KernelEvents;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.host.KernelImage;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.time.TimeSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what becomes of instances: one change of one instance at a time, many instances at once. A step is recorded, then
 * taken, then its end is recorded; each step may be taken again, so a daemon killed between any two of them is no special case.
 */
final class Keeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);

    /** How long a kernel of which nobody waits may take to be fenced. */
    private static final Duration FENCE_PATIENCE = Duration.ofSeconds(30);

    /** What is no instance's name: held by whoever gives out an id. */
    private static final String NEXT_ID = "";

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(1);

    /** When that is tried again which could not be recorded. */
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(1);

    private final InstanceDirectories directories;
    private final Ledger ledger;
    private final Hosts hosts;
    private final Agents agents;
    private final Announcer announcer;
    private final WorkloadStop workloadStop;
    private final TimeSource time;
    private final NameLocks locks;
    private final Map<String, InstanceRecord> unresumed = new ConcurrentHashMap<>();
    private final ExecutorService workers;

    /** @param workers do what nobody waits for; as many at once as there are instances */
    Keeper(
            InstanceDirectories directories,
            Ledger ledger,
            Hosts hosts,
            Agents agents,
            Announcer announcer,
            WorkloadStop workloadStop,
            TimeSource time,
            ExecutorService workers) {
        this.directories = directories;
        this.ledger = ledger;
        this.hosts = hosts;
        this.agents = agents;
        this.announcer = announcer;
        this.workloadStop = workloadStop;
        this.time = time;
        this.locks = new NameLocks(time);
        this.workers = workers;
    }

    /** Asks the workload of an instance to stop, for at most half of the time given. */
    @FunctionalInterface
    interface WorkloadStop {
        void ask(Instance instance, Duration patience) throws InterruptedException;
    }

    Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException {
        long deadline = time.nanos() + timeout.toNanos();
        Names.check(spec.name());
        KernelHost host = hosts.get(spec.host());
        try (NameLocks.Held held = hold(spec.name(), timeout)) {
            KernelImage image = inspect(host, spec);
            return start(host, add(host, spec, image, timeout), deadline);
        }
    }

    private InstanceRecord add(KernelHost host, InstanceSpec spec, KernelImage image, Duration patience)
            throws InstanceException, InterruptedException {
        Optional<NameLocks.Held> next = locks.take(NEXT_ID, patience);
        if (next.isEmpty()) {
            throw new InstanceException(
                    Reason.TIMED_OUT,
                    "others are being recorded, and that takes too long; see whether the disk is slow");
        }
        try (NameLocks.Held held = next.get()) {
            return ledger.add(spec, image.release(), host::contextId);
        }
    }

    private static KernelImage inspect(KernelHost host, InstanceSpec spec) throws InstanceException {
        try {
            return host.inspect(spec);
        } catch (HostException e) {
            throw new InstanceException(Reason.REFUSED, e.getMessage(), e);
        }
    }

    private Instance start(KernelHost host, InstanceRecord record, long deadline)
            throws InstanceException, InterruptedException {
        String name = record.instance().name();
        try {
            directories.make(record.instance().id());
            Ending ending = new Ending(record.instance().id());
            HostedKernel kernel =
                    host.start(record.instance().id(), record.instance().spec(), own(record), ending);
            if (!agents.awaitListening(kernel.endpoint(), deadline, ending::notYet)) {
                throw new HostException("its agent did not listen at " + kernel.endpoint()
                        + ending.told().map(how -> ": " + how).orElse(" in time"));
            }
            InstanceRecord started = record.with(kernel.endpoint(), kernel.notIsolated());
            Instance running = ledger.move(started, Lifecycle.Event.STARTED, "").instance();
            ending.arm(running);
            return running;
        } catch (HostException | IOException e) {
            undo(record, e.getMessage());
            Reason reason = time.nanos() >= deadline ? Reason.TIMED_OUT : Reason.FAILED;
            throw new InstanceException(reason, "instance \"" + name + "\" could not be started: " + e.getMessage(), e);
        } catch (InterruptedException | InstanceException e) {
            undo(record, "cancelled");
            throw e;
        }
    }

    /**
     * Removes what a spawn has made so far. The kernel is fenced even when nothing can be recorded any more: nobody was told of it. What
     * cannot be done now is done later.
     */
    private void undo(InstanceRecord record, String why) {
        boolean interrupted = Thread.interrupted();
        Instance instance = record.instance();
        try {
            fenceUnrecorded(record);
            removeAll(ledger.move(record.forTermination(), Lifecycle.Event.START_FAILED, why), FENCE_PATIENCE, why);
        } catch (InstanceException e) {
            LOG.error(
                    "instance \"{}\" could not be removed after its start had failed: {}",
                    instance.name(),
                    e.getMessage());
            goOnLater(instance.name());
        } catch (InterruptedException e) {
            interrupted = true;
            goOnLater(instance.name());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void fenceUnrecorded(InstanceRecord record) throws InstanceException, InterruptedException {
        try {
            hosts.get(record.instance().spec().host()).fence(record.instance().id(), own(record), FENCE_PATIENCE);
        } catch (HostException e) {
            LOG.debug("it is fenced once more, and what comes of that is recorded", e);
        }
    }

    Instance terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException {
        long deadline = time.nanos() + timeout.toNanos();
        try (NameLocks.Held held = hold(name, timeout)) {
            InstanceRecord record = resumed(ledger.get(name)).forTermination();
            if (record.instance().state() == InstanceState.HELD && !force) {
                throw new InstanceException(
                        Reason.REFUSED,
                        "instance \"" + name + "\" is HELD: "
                                + record.instance().detail()
                                + "; make sure that its kernel runs no more, then use --force");
            }
            String why = force ? "terminated by force" : "terminated";
            InstanceRecord fencing = record.instance().state() == InstanceState.FENCED
                            || record.instance().state() == InstanceState.RELEASING
                    ? record
                    : ledger.move(record, Lifecycle.Event.END, why);
            if (!force && record.instance().state() == InstanceState.RUNNING) {
                workloadStop.ask(fencing.instance(), timeout);
            }
            removeAll(fencing, Duration.ofNanos(Math.max(1, deadline - time.nanos())), why);
            return fencing.instance();
        } catch (InterruptedException | InstanceException e) {
            goOnLater(name);
            throw e;
        }
    }

    /** What was begun is brought to its end, though whoever asked for it has gone, or could not have it recorded. */
    private void goOnLater(String name) {
        try {
            workers.execute(() -> goOn(name));
        } catch (RejectedExecutionException e) {
            LOG.debug("the next daemon goes on with instance {}", name, e);
        }
    }

    private void goOn(String name) {
        try {
            while (!wentOn(name)) {
                time.sleep(BETWEEN_TRIES);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return whether nothing of it is left to be done */
    private boolean wentOn(String name) throws InterruptedException {
        try (NameLocks.Held held = hold(name, FENCE_PATIENCE)) {
            Optional<InstanceRecord> left = unfinished(name);
            if (left.isPresent()) {
                resume(left.get());
            }
            return true;
        } catch (InstanceException e) {
            LOG.error("{}", e.getMessage());
            return unfinished(name).isEmpty();
        }
    }

    /** But for what waits for its host: that is gone on with when it comes. */
    private Optional<InstanceRecord> unfinished(String name) {
        return ledger.find(name).filter(record -> !unresumed.containsKey(name) && record.unfinished());
    }

    Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException {
        try (NameLocks.Held held = hold(name, timeout)) {
            InstanceRecord record = resumed(ledger.get(name));
            if (record.instance().state() == InstanceState.FENCED) {
                return record.instance();
            }
            return fenceNow(ledger.move(record.toBeKept(), Lifecycle.Event.END, why), timeout)
                    .instance();
        } catch (InterruptedException | InstanceException e) {
            goOnLater(name);
            throw e;
        }
    }

    Instance release(String name) throws InstanceException, InterruptedException {
        try (NameLocks.Held held = hold(name, FENCE_PATIENCE)) {
            return releaseNow(resumed(ledger.get(name)), "released");
        } catch (InterruptedException | InstanceException e) {
            goOnLater(name);
            throw e;
        }
    }

    Instance succeed(String name, String successor, String aside) throws InstanceException, InterruptedException {
        // in the order of the names, as everybody who holds more than one
        List<String> names = Stream.of(name, successor, aside).sorted().toList();
        try (NameLocks.Held first = hold(names.get(0), FENCE_PATIENCE);
                NameLocks.Held second = hold(names.get(1), FENCE_PATIENCE);
                NameLocks.Held third = hold(names.get(2), FENCE_PATIENCE)) {
            InstanceRecord former = resumed(ledger.get(name));
            if (ledger.find(successor).isEmpty() && ledger.find(aside).isPresent()) {
                return former.instance();
            }
            InstanceRecord next = resumed(ledger.get(successor));
            refuseUnless(former, EnumSet.of(InstanceState.RUNNING, InstanceState.HELD, InstanceState.FENCED));
            refuseUnless(next, EnumSet.of(InstanceState.RUNNING, InstanceState.HELD));
            if (ledger.find(aside).isPresent()) {
                throw new InstanceException(
                        Reason.REFUSED, "instance \"" + aside + "\" is there already; terminate it first");
            }
            return ledger.succeed(former, next, aside).instance();
        }
    }

    /** Of one that is HELD nobody knows whether it runs: whose a name is does not depend on that. */
    private static void refuseUnless(InstanceRecord record, Set<InstanceState> states) throws InstanceException {
        InstanceState state = record.instance().state();
        if (!states.contains(state)) {
            throw new InstanceException(
                    Reason.REFUSED,
                    "instance \"" + record.instance().name() + "\" is " + state
                            + "; a name goes from one to another that is RUNNING or HELD");
        }
    }

    Instance promote(String standby, String name) throws InstanceException, InterruptedException {
        List<String> names = Stream.of(standby, name).sorted().toList();
        try (NameLocks.Held first = hold(names.get(0), FENCE_PATIENCE);
                NameLocks.Held second = hold(names.get(1), FENCE_PATIENCE)) {
            Optional<InstanceRecord> bearer = ledger.find(name);
            if (bearer.isPresent() && ledger.find(standby).isEmpty()) {
                return bearer.get().instance();
            }
            InstanceRecord record = resumed(ledger.get(standby));
            Instance instance = record.instance();
            if (bearer.isPresent()) {
                throw new InstanceException(
                        Reason.REFUSED,
                        "instance \"" + name + "\" is there; a standby takes the name of one that is gone");
            }
            if (instance.spec().successorOf().isEmpty()) {
                throw new InstanceException(
                        Reason.REFUSED, "instance \"" + standby + "\" is no standby; spawn one with --standby-for");
            }
            if (instance.state() != InstanceState.RUNNING) {
                throw new InstanceException(
                        Reason.REFUSED,
                        "instance \"" + standby + "\" is " + instance.state()
                                + "; a standby that takes over is RUNNING");
            }
            return ledger.rename(record, name, "took over as standby \"" + standby + "\"")
                    .instance();
        }
    }

    private void removeAll(InstanceRecord record, Duration timeout, String why)
            throws InstanceException, InterruptedException {
        InstanceRecord fenced = record.instance().state() == InstanceState.FENCING ? fenceNow(record, timeout) : record;
        releaseNow(fenced, why);
    }

    private InstanceRecord fenceNow(InstanceRecord record, Duration timeout)
            throws InstanceException, InterruptedException {
        Instance instance = record.instance();
        try {
            hosts.get(instance.spec().host()).fence(instance.id(), own(record), timeout);
        } catch (HostException e) {
            ledger.move(record, Lifecycle.Event.FENCE_UNCONFIRMED, e.getMessage());
            throw new InstanceException(
                    Reason.TIMED_OUT,
                    "instance \"" + instance.name() + "\" is HELD, for it is not certain that its kernel runs no more: "
                            + e.getMessage(),
                    e);
        }
        return ledger.move(record, Lifecycle.Event.FENCED, instance.detail());
    }

    private Instance releaseNow(InstanceRecord record, String why) throws InstanceException, InterruptedException {
        InstanceRecord releasing = ledger.move(record, Lifecycle.Event.RELEASE, why);
        Instance instance = releasing.instance();
        try {
            hosts.get(instance.spec().host()).release(instance.id(), own(record));
            directories.remove(instance.id());
        } catch (HostException | IOException e) {
            ledger.move(releasing, Lifecycle.Event.RELEASE_FAILED, e.getMessage());
            throw new InstanceException(
                    Reason.FAILED,
                    "instance \"" + instance.name() + "\" is HELD, for not all it had could be given back: "
                            + e.getMessage(),
                    e);
        }
        ledger.remove(releasing, why);
        return instance;
    }

    /** Reads what a former daemon left, and resumes those whose hosts are there. */
    void takeOver() throws JournalException {
        for (InstanceRecord record : ledger.load()) {
            unresumed.put(record.instance().name(), record);
        }
        unresumed.values().stream()
                .map(record -> record.instance().spec().host())
                .distinct()
                .toList()
                .forEach(this::hostCame);
    }

    /**
     * Resumes the instances that waited for this host, and has it take up those that run already: where it came in place of a former
     * version, what that one listened to went with it.
     */
    void hostCame(String host) {
        if (hosts.find(host).isEmpty()) {
            return;
        }
        // seen before any is resumed: what is resumed now is adopted by that
        List<Instance> running = ledger.list().stream()
                .filter(instance -> runsOn(host, instance) && !unresumed.containsKey(instance.name()))
                .toList();
        unresumed.values().stream()
                .filter(record -> record.instance().spec().host().equals(host))
                .forEach(
                        record -> workers.execute(() -> resume(record.instance().name())));
        running.forEach(instance -> workers.execute(() -> takeUp(host, instance.id())));
    }

    private static boolean runsOn(String host, Instance instance) {
        return instance.state() == InstanceState.RUNNING
                && instance.spec().host().equals(host);
    }

    private void takeUp(String host, int id) {
        Optional<InstanceRecord> before = ledger.find(id);
        if (before.isEmpty()) {
            return;
        }
        String name = before.get().instance().name();
        try (NameLocks.Held held = hold(name, FENCE_PATIENCE)) {
            Optional<InstanceRecord> record = ledger.find(id).filter(found -> runsOn(host, found.instance()));
            if (record.isPresent()) {
                Instance instance = record.get().instance();
                Ending ending = new Ending(id);
                HostedKernel kernel = hosts.get(host).adopt(id, instance.spec(), own(record.get()), ending);
                ending.arm(instance);
                kernel.ended().ifPresent(how -> announcer.ended(instance, how));
            }
        } catch (InstanceException | HostException e) {
            // it runs, whatever its host can tell of it now: its heartbeats say how it is
            LOG.error("instance \"{}\" was not taken up by the new version of its host: {}", name, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until no instance waits to be resumed. @return whether that came within the time */
    boolean awaitResumed(Duration patience) throws InterruptedException {
        long deadline = time.nanos() + patience.toNanos();
        while (!unresumed.isEmpty() && time.nanos() < deadline) {
            time.sleep(BETWEEN_LOOKS);
        }
        return unresumed.isEmpty();
    }

    private void resume(String name) {
        try {
            while (!resumed(name)) {
                time.sleep(BETWEEN_TRIES);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Resumes one that waits for that. @return whether it waits no more, or for its host */
    private boolean resumed(String name) throws InterruptedException {
        try (NameLocks.Held held = hold(name, FENCE_PATIENCE)) {
            Optional<InstanceRecord> record = ledger.find(name);
            if (unresumed.containsKey(name) && record.isPresent()) {
                resume(record.get());
            }
            unresumed.remove(name);
            return true;
        } catch (InstanceException e) {
            LOG.error("{}", e.getMessage());
            Optional<InstanceRecord> left = ledger.find(name);
            boolean over = left.filter(record -> record.instance().state() != InstanceState.HELD)
                    .isEmpty();
            if (over) {
                unresumed.remove(name);
            }
            return over || hosts.find(left.get().instance().spec().host()).isEmpty();
        }
    }

    private void resume(InstanceRecord record) throws InstanceException, InterruptedException {
        Instance instance = record.instance();
        switch (Lifecycle.resumption(instance.state(), record.terminating())) {
            case ADOPT -> adopt(record);
            case FENCE -> fenceNow(record, FENCE_PATIENCE);
            case RELEASE -> releaseNow(record, instance.detail());
            case KEEP -> announcer.changed(instance);
            case REMOVE -> {
                InstanceRecord ending = instance.state() == InstanceState.STARTING
                        ? ledger.move(
                                record.forTermination(),
                                Lifecycle.Event.START_FAILED,
                                "the daemon ended while it was started")
                        : record;
                removeAll(ending, FENCE_PATIENCE, ending.instance().detail());
            }
        }
        LOG.info("instance \"{}\" was {}; resumed", instance.name(), instance.state());
    }

    private void adopt(InstanceRecord record) throws InstanceException, InterruptedException {
        Instance instance = record.instance();
        Ending ending = new Ending(instance.id());
        try {
            HostedKernel kernel =
                    hosts.get(instance.spec().host()).adopt(instance.id(), instance.spec(), own(record), ending);
            announcer.changed(instance);
            ending.arm(instance);
            if (!kernel.running()) {
                announcer.ended(instance, kernel.ended().orElse("it ended while no daemon ran"));
            }
        } catch (HostException e) {
            ledger.move(record, Lifecycle.Event.NOT_ADOPTED, e.getMessage());
            throw new InstanceException(
                    Reason.FAILED,
                    "instance \"" + instance.name() + "\" is HELD, for its host cannot tell whether it runs: "
                            + e.getMessage(),
                    e);
        }
    }

    private InstanceRecord resumed(InstanceRecord record) throws InstanceException {
        if (unresumed.containsKey(record.instance().name())) {
            throw new InstanceException(
                    Reason.NOT_NOW,
                    "instance \"" + record.instance().name() + "\" waits for its host \""
                            + record.instance().spec().host()
                            + "\" to be adopted; `bundle list` shows what is not active");
        }
        return record;
    }

    private NameLocks.Held hold(String name, Duration patience) throws InstanceException, InterruptedException {
        return locks.take(name, patience)
                .orElseThrow(() -> new InstanceException(
                        Reason.TIMED_OUT,
                        "instance \"" + name
                                + "\" is being changed by another command; try again when that has ended"));
    }

    private Path own(InstanceRecord record) {
        return directories.of(record.instance().id());
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }

    /** What a host tells of a kernel, passed on once the instance is known to others. */
    private final class Ending implements KernelEvents {
        private final int id;
        private Optional<String> told = Optional.empty();
        private boolean armed;

        Ending(int id) {
            this.id = id;
        }

        @Override
        public synchronized void ended(String how) {
            told = Optional.of(how);
            if (armed) {
                pass(how);
            }
        }

        synchronized boolean notYet() {
            return told.isEmpty();
        }

        synchronized Optional<String> told() {
            return told;
        }

        synchronized void arm(Instance instance) {
            armed = true;
            told.ifPresent(this::pass);
            LOG.debug("instance \"{}\" (id {}) is watched by its host", instance.name(), id);
        }

        private void pass(String how) {
            ledger.find(id)
                    .filter(record -> record.instance().state() == InstanceState.RUNNING)
                    .ifPresent(record -> announcer.ended(record.instance(), how));
        }
    }
}
