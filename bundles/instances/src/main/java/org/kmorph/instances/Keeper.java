// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.stream.Stream;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
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
 * Carries out what is asked of instances: one change of one instance at a time, many instances at once. What it begins is gone on with by
 * the {@link Resumption} of this daemon or of the next.
 */
final class Keeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);

    /** What is no instance's name: held by whoever gives out an id. */
    private static final String NEXT_ID = "";

    private final InstanceDirectories directories;
    private final Ledger ledger;
    private final Hosts hosts;
    private final Agents agents;
    private final WorkloadStop workloadStop;
    private final TimeSource time;
    private final NameLocks locks;
    private final Steps steps;
    private final Resumption resumption;
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
        this.workloadStop = workloadStop;
        this.time = time;
        this.locks = new NameLocks(time);
        this.workers = workers;
        steps = new Steps(directories, ledger, hosts, announcer);
        resumption = new Resumption(ledger, hosts, announcer, steps, locks, time, workers);
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
        try (NameLocks.Held held = locks.hold(spec.name(), timeout)) {
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
            Steps.Ending ending = steps.ending(record.instance().id());
            HostedKernel kernel =
                    host.start(record.instance().id(), record.instance().spec(), steps.directory(record), ending);
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
            steps.fenceUnrecorded(record);
            steps.removeAll(
                    ledger.move(record.forTermination(), Lifecycle.Event.START_FAILED, why), Steps.FENCE_PATIENCE, why);
        } catch (InstanceException e) {
            LOG.error(
                    "instance \"{}\" could not be removed after its start had failed: {}",
                    instance.name(),
                    e.getMessage());
            resumption.goOnLater(instance.name());
        } catch (InterruptedException e) {
            interrupted = true;
            resumption.goOnLater(instance.name());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    Instance terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException {
        long deadline = time.nanos() + timeout.toNanos();
        try (NameLocks.Held held = locks.hold(name, timeout)) {
            InstanceRecord record = resumption.resumed(ledger.get(name)).forTermination();
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
            steps.removeAll(fencing, Duration.ofNanos(Math.max(1, deadline - time.nanos())), why);
            return fencing.instance();
        } catch (InterruptedException | InstanceException e) {
            resumption.goOnLater(name);
            throw e;
        }
    }

    Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException {
        try (NameLocks.Held held = locks.hold(name, timeout)) {
            InstanceRecord record = resumption.resumed(ledger.get(name));
            if (record.instance().state() == InstanceState.FENCED) {
                return record.instance();
            }
            return steps.fence(ledger.move(record.toBeKept(), Lifecycle.Event.END, why), timeout)
                    .instance();
        } catch (InterruptedException | InstanceException e) {
            resumption.goOnLater(name);
            throw e;
        }
    }

    Instance release(String name) throws InstanceException, InterruptedException {
        try (NameLocks.Held held = locks.hold(name, Steps.FENCE_PATIENCE)) {
            return steps.release(resumption.resumed(ledger.get(name)), "released");
        } catch (InterruptedException | InstanceException e) {
            resumption.goOnLater(name);
            throw e;
        }
    }

    Instance succeed(String name, String successor, String aside) throws InstanceException, InterruptedException {
        // in the order of the names, as everybody who holds more than one
        List<String> names = Stream.of(name, successor, aside).sorted().toList();
        try (NameLocks.Held first = locks.hold(names.get(0), Steps.FENCE_PATIENCE);
                NameLocks.Held second = locks.hold(names.get(1), Steps.FENCE_PATIENCE);
                NameLocks.Held third = locks.hold(names.get(2), Steps.FENCE_PATIENCE)) {
            InstanceRecord former = resumption.resumed(ledger.get(name));
            if (ledger.find(successor).isEmpty() && ledger.find(aside).isPresent()) {
                return former.instance();
            }
            InstanceRecord next = resumption.resumed(ledger.get(successor));
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
        try (NameLocks.Held first = locks.hold(names.get(0), Steps.FENCE_PATIENCE);
                NameLocks.Held second = locks.hold(names.get(1), Steps.FENCE_PATIENCE)) {
            Optional<InstanceRecord> bearer = ledger.find(name);
            if (bearer.isPresent() && ledger.find(standby).isEmpty()) {
                return bearer.get().instance();
            }
            InstanceRecord record = resumption.resumed(ledger.get(standby));
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

    /** Reads what a former daemon left, and resumes those whose hosts are there. */
    void takeOver() throws JournalException {
        resumption.takeOver();
    }

    /** See {@link Resumption#hostCame}. */
    void hostCame(String host) {
        resumption.hostCame(host);
    }

    /** Waits until no instance waits to be resumed. @return whether that came within the time */
    boolean awaitResumed(Duration patience) throws InterruptedException {
        return resumption.awaitResumed(patience);
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }
}
