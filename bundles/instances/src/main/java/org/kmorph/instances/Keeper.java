// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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

    private final Path directory;
    private final Ledger ledger;
    private final Hosts hosts;
    private final Agents agents;
    private final Announcer announcer;
    private final NameLocks locks = new NameLocks();
    private final Map<String, InstanceRecord> unresumed = new ConcurrentHashMap<>();
    private final ExecutorService workers = Executors.newCachedThreadPool(task -> {
        Thread made = new Thread(task, "kmorph-instance-keeper");
        made.setDaemon(true);
        return made;
    });

    Keeper(Path directory, Ledger ledger, Hosts hosts, Agents agents, Announcer announcer) {
        this.directory = directory;
        this.ledger = ledger;
        this.hosts = hosts;
        this.agents = agents;
        this.announcer = announcer;
    }

    Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        Names.check(spec.name());
        KernelHost host = hosts.get(spec.host());
        try (NameLocks.Held held = hold(spec.name(), timeout)) {
            KernelImage image = inspect(host, spec);
            InstanceRecord record = ledger.add(spec, image.release(), host::contextId);
            return start(host, record, deadline);
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
            Path own = make(record);
            Ending ending = new Ending(name);
            HostedKernel kernel =
                    host.start(record.instance().id(), record.instance().spec(), own, ending);
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
            Reason reason = System.nanoTime() >= deadline ? Reason.TIMED_OUT : Reason.FAILED;
            throw new InstanceException(reason, "instance \"" + name + "\" could not be started: " + e.getMessage(), e);
        } catch (InterruptedException | InstanceException e) {
            undo(record, "cancelled");
            throw e;
        }
    }

    /**
     * Removes what a spawn has made so far. The kernel is fenced even when nothing can be recorded any more: nobody was told of it,
     * and the record that stays makes the next daemon remove the rest.
     */
    private void undo(InstanceRecord record, String why) {
        boolean interrupted = Thread.interrupted();
        Instance instance = record.instance();
        try {
            hosts.get(instance.spec().host()).fence(instance.id(), own(record), FENCE_PATIENCE);
            removeAll(ledger.move(record, Lifecycle.Event.START_FAILED, why).forTermination(), FENCE_PATIENCE, why);
        } catch (InstanceException | HostException e) {
            LOG.error(
                    "instance \"{}\" could not be removed after its start had failed: {}",
                    instance.name(),
                    e.getMessage());
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    Instance terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException {
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
            removeAll(fencing, timeout, why);
            return fencing.instance();
        }
    }

    Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException {
        try (NameLocks.Held held = hold(name, timeout)) {
            InstanceRecord record = resumed(ledger.get(name));
            if (record.instance().state() == InstanceState.FENCED) {
                return record.instance();
            }
            return fenceNow(ledger.move(record, Lifecycle.Event.END, why), timeout)
                    .instance();
        }
    }

    Instance release(String name) throws InstanceException, InterruptedException {
        try (NameLocks.Held held = hold(name, FENCE_PATIENCE)) {
            return releaseNow(resumed(ledger.get(name)), "released");
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
            deleteTree(own(record));
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

    /** Resumes the instances that waited for this host. */
    void hostCame(String host) {
        if (hosts.find(host).isEmpty()) {
            return;
        }
        unresumed.values().stream()
                .filter(record -> record.instance().spec().host().equals(host))
                .forEach(
                        record -> workers.execute(() -> resume(record.instance().name())));
    }

    /** Waits until no instance waits to be resumed. @return whether that came within the time */
    boolean awaitResumed(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!unresumed.isEmpty() && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return unresumed.isEmpty();
    }

    private void resume(String name) {
        try {
            try (NameLocks.Held held = hold(name, FENCE_PATIENCE)) {
                InstanceRecord record = unresumed.get(name);
                if (record != null) {
                    resume(record);
                    unresumed.remove(name);
                }
            }
        } catch (InstanceException e) {
            unresumed.remove(name);
            LOG.error("{}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
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
        Ending ending = new Ending(instance.name());
        try {
            HostedKernel kernel =
                    hosts.get(instance.spec().host()).adopt(instance.id(), instance.spec(), own(record), ending);
            announcer.changed(instance);
            ending.arm(instance);
            if (!kernel.running()) {
                announcer.ended(instance, kernel.ended().orElse("it ended while no daemon ran"));
            }
        } catch (HostException e) {
            ledger.move(
                    ledger.move(record, Lifecycle.Event.END, "cannot be adopted"),
                    Lifecycle.Event.FENCE_UNCONFIRMED,
                    e.getMessage());
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
                    Reason.REFUSED,
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
        return directory.resolve(Integer.toString(record.instance().id()));
    }

    private Path make(InstanceRecord record) throws IOException {
        return Files.createDirectories(
                own(record), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    private static void deleteTree(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> found = Files.walk(tree)) {
            List<Path> deepestFirst = found.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.delete(path);
            }
        }
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }

    /** What a host tells of a kernel, passed on once the instance is known to others. */
    private final class Ending implements KernelEvents {
        private final String name;
        private Optional<String> told = Optional.empty();
        private boolean armed;

        Ending(String name) {
            this.name = name;
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
            LOG.debug("instance \"{}\" (id {}) is watched by its host", name, instance.id());
        }

        private void pass(String how) {
            ledger.find(name)
                    .filter(record -> record.instance().state() == InstanceState.RUNNING)
                    .ifPresent(record -> announcer.ended(record.instance(), how));
        }
    }
}
