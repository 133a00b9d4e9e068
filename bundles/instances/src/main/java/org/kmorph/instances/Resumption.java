// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import org.kmorph.api.host.HostException;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.time.TimeSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Goes on with what was begun: by a former daemon, whose instances wait for their hosts, or by somebody who went away in the middle. */
final class Resumption {
    private static final Logger LOG = LoggerFactory.getLogger(Resumption.class);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(1);

    /** When that is tried again which could not be recorded. */
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(1);

    private final Ledger ledger;
    private final Hosts hosts;
    private final Announcer announcer;
    private final Steps steps;
    private final NameLocks locks;
    private final TimeSource time;
    private final ExecutorService workers;
    private final Map<String, InstanceRecord> unresumed = new ConcurrentHashMap<>();

    Resumption(
            Ledger ledger,
            Hosts hosts,
            Announcer announcer,
            Steps steps,
            NameLocks locks,
            TimeSource time,
            ExecutorService workers) {
        this.ledger = ledger;
        this.hosts = hosts;
        this.announcer = announcer;
        this.steps = steps;
        this.locks = locks;
        this.time = time;
        this.workers = workers;
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
        try (NameLocks.Held held = locks.hold(name, Steps.FENCE_PATIENCE)) {
            Optional<InstanceRecord> record = ledger.find(id).filter(found -> runsOn(host, found.instance()));
            if (record.isPresent()) {
                steps.takeUp(record.get());
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
        try (NameLocks.Held held = locks.hold(name, Steps.FENCE_PATIENCE)) {
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
            case ADOPT -> steps.adopt(record);
            case FENCE -> steps.fence(record, Steps.FENCE_PATIENCE);
            case RELEASE -> steps.release(record, instance.detail());
            case KEEP -> announcer.changed(instance);
            case REMOVE -> {
                InstanceRecord ending = instance.state() == InstanceState.STARTING
                        ? ledger.move(
                                record.forTermination(),
                                Lifecycle.Event.START_FAILED,
                                "the daemon ended while it was started")
                        : record;
                steps.removeAll(ending, Steps.FENCE_PATIENCE, ending.instance().detail());
            }
        }
        LOG.info("instance \"{}\" was {}; resumed", instance.name(), instance.state());
    }

    /** What was begun is brought to its end, though whoever asked for it has gone, or could not have it recorded. */
    void goOnLater(String name) {
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
        try (NameLocks.Held held = locks.hold(name, Steps.FENCE_PATIENCE)) {
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

    /** The record, of one that waits for nothing. */
    InstanceRecord resumed(InstanceRecord record) throws InstanceException {
        if (unresumed.containsKey(record.instance().name())) {
            throw new InstanceException(
                    Reason.NOT_NOW,
                    "instance \"" + record.instance().name() + "\" waits for its host \""
                            + record.instance().spec().host()
                            + "\" to be adopted; `bundle list` shows what is not active");
        }
        return record;
    }
}
