// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.recovery.RecoveryState;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.wire.Limits;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what a recovery wants done, and answers with what came of it. Blocks; each call may be made again after a crash in the middle of
 * it: it looks first at how things stand. An instance is known by its id, for its name may belong to another one by now.
 */
final class Hands {
    private static final Logger LOG = LoggerFactory.getLogger(Hands.class);

    private static final Duration START = Duration.ofSeconds(120);

    private static final Set<InstanceState> CHANGING =
            EnumSet.of(InstanceState.STARTING, InstanceState.FENCING, InstanceState.RELEASING);

    private static final Set<InstanceState> SETTLED =
            EnumSet.of(InstanceState.RUNNING, InstanceState.HELD, InstanceState.FENCED);

    /** How long something may stand in the way: another command, a registry that has not read its journal yet, a host on its way. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final Duration BETWEEN_TRIES = Duration.ofMillis(50);

    private final Instances instances;
    private final Survivors survivors;
    private final Captures captures;
    private final Standby standby;
    private final Activation activation;
    private final Casebook casebook;
    private final TimeSource time;

    Hands(
            Instances instances,
            Survivors survivors,
            Captures captures,
            Standby standby,
            Activation activation,
            Casebook casebook,
            TimeSource time) {
        this.casebook = casebook;
        this.instances = instances;
        this.survivors = survivors;
        this.captures = captures;
        this.standby = standby;
        this.activation = activation;
        this.time = time;
    }

    /** Until what a former daemon left is read: what is not found passes for ended. */
    void awaitInstances() throws InterruptedException {
        while (true) {
            try {
                instances.awaitRead(PATIENCE);
                return;
            } catch (InstanceException e) {
                LOG.error("nothing can be healed yet: {}", e.getMessage());
                time.sleep(BETWEEN_TRIES);
            }
        }
    }

    /** Does it. @param generation of the topology: a number that grows with each step of any recovery */
    Healing.Event perform(Healing.Action action, Healing healing, long generation) throws InterruptedException {
        Patient patient = healing.patient();
        if (action instanceof Healing.Action.TellPrepare) {
            // a morph looks after it is recorded, as this does: of two that begin at once, one sees the other
            return casebook.isBeingMorphed(patient.name())
                    ? new Healing.Event.BeingMorphed()
                    : new Healing.Event.Prepared(survivors.prepare(instances.list(), patient, generation));
        }
        if (action instanceof Healing.Action.Fence) {
            return fence(patient, healing.treatment().fenceTimeout());
        }
        if (action instanceof Healing.Action.Release) {
            return release(patient);
        }
        if (action instanceof Healing.Action.TellReclaim) {
            return new Healing.Event.Reclaimed(survivors.reclaim(instances.list(), patient, generation));
        }
        if (action instanceof Healing.Action.Promote promote) {
            return promote(patient, promote.standby());
        }
        if (action instanceof Healing.Action.Start start) {
            return start(patient, start.kernel());
        }
        if (action instanceof Healing.Action.Capture) {
            return capture(healing);
        }
        if (action instanceof Healing.Action.TellComplete) {
            return tellEnd(healing, generation);
        }
        throw new IllegalArgumentException("not for hands: " + action);
    }

    private Healing.Event fence(Patient patient, Duration timeout) throws InterruptedException {
        long deadline = time.nanos() + PATIENCE.toNanos();
        while (true) {
            Optional<Instance> there = find(patient);
            if (there.isEmpty()) {
                return new Healing.Event.Gone();
            }
            try {
                instances.fence(patient.name(), patient.reason(), timeout);
                return new Healing.Event.Fenced();
            } catch (InstanceException e) {
                if (!mayPass(e, patient) || time.nanos() >= deadline) {
                    return new Healing.Event.FenceUnconfirmed(e.getMessage());
                }
                time.sleep(BETWEEN_TRIES);
            }
        }
    }

    /** Whether that which has stood in the way is likely to go away by itself. */
    private boolean mayPass(InstanceException obstacle, Patient patient) {
        return switch (obstacle.reason()) {
            case NOT_NOW, TIMED_OUT, NO_SUCH_INSTANCE ->
                find(patient).filter(one -> one.state() == InstanceState.HELD).isEmpty();
            // somebody else brings it from one state to another
            case REFUSED, FAILED ->
                find(patient).filter(one -> !CHANGING.contains(one.state())).isEmpty();
        };
    }

    private Healing.Event capture(Healing healing) throws InterruptedException {
        // one that a person has terminated meanwhile is on its way out
        Optional<Instance> there = find(healing.patient()).filter(one -> one.state() == InstanceState.FENCED);
        if (there.isEmpty()) {
            return new Healing.Event.NotCaptured("somebody else has ended it");
        }
        try {
            return casebook.isGivenBackInPart(there.get())
                    ? new Healing.Event.NotCaptured("some of what it had may have been given back already")
                    : captures.capture(
                            there.get(), healing.treatment().capture().orElseThrow());
        } catch (JournalException e) {
            return new Healing.Event.NotCaptured(
                    "whether some of what it had was given back already cannot be read: " + e.getMessage());
        }
    }

    /** Whether there is memory of it to save. Of one that is HELD it may have been given back already. */
    boolean canCapture(Instance instance) {
        boolean whole = instance.state() == InstanceState.RUNNING || instance.state() == InstanceState.FENCED;
        return whole && captures.canCapture(instance);
    }

    private Healing.Event release(Patient patient) throws InterruptedException {
        long deadline = time.nanos() + PATIENCE.toNanos();
        while (find(patient).isPresent()) {
            try {
                instances.release(patient.name());
            } catch (InstanceException e) {
                if (!mayPass(e, patient) || time.nanos() >= deadline) {
                    return new Healing.Event.ReleaseFailed(e.getMessage());
                }
                time.sleep(BETWEEN_TRIES);
            }
        }
        return new Healing.Event.Released();
    }

    /** The standby has the name first, then its work: so a daemon that goes on in between finds by the name whom to give it to. */
    private Healing.Event promote(Patient patient, String name) throws InterruptedException {
        Optional<Instance> bearer = awaitSettled(patient.name());
        if (bearer.isPresent()) {
            return atWork(patient, bearer.get());
        }
        Optional<Instance> candidate = instances.find(name);
        if (candidate.isEmpty()) {
            return new Healing.Event.NoStandby("there is no such instance");
        }
        Optional<String> obstacle = standby.obstacle(candidate.get());
        if (obstacle.isPresent()) {
            return new Healing.Event.NoStandby(obstacle.get());
        }
        try {
            return atWork(patient, instances.promote(name, patient.name()));
        } catch (InstanceException e) {
            return new Healing.Event.NoStandby(e.getMessage());
        }
    }

    private Healing.Event atWork(Patient patient, Instance bearer) throws InterruptedException {
        if (bearer.state() == InstanceState.FENCED) {
            return activation.giveBack(bearer, "instance " + bearer.id() + ", which was to do its work, is fenced");
        }
        if (bearer.state() != InstanceState.RUNNING) {
            return new Healing.Event.RestoreFailed("instance \"" + patient.name() + "\" is " + bearer.state());
        }
        if (patient.spec().successorOf().isPresent()) {
            // a standby goes on to hold its work back: that is another's, who may run
            return new Healing.Event.Restored(bearer.id());
        }
        return activation.activate(bearer, patient.operation());
    }

    private Healing.Event start(Patient patient, Optional<Path> kernel) throws InterruptedException {
        Optional<Instance> there = awaitSettled(patient.name());
        if (there.isPresent()) {
            return atWork(patient, there.get());
        }
        try {
            // a standby that has failed goes on to hold its work back, for whoever has the name now
            Path on = kernel.orElse(patient.spec().kernel());
            InstanceSpec spec = patient.spec()
                    .successorOf()
                    .map(former -> patient.spec().succeeding(bearer(former), on))
                    .orElseGet(() -> patient.spec().on(on));
            return new Healing.Event.Restored(instances.spawn(spec, START).id());
        } catch (InstanceException e) {
            return new Healing.Event.RestoreFailed(e.getMessage());
        }
    }

    /**
     * The instance of the name once it is neither coming nor going: a daemon that was killed in the middle leaves one that is. Nobody
     * waits for one that is HELD, for it waits for a person.
     */
    private Optional<Instance> awaitSettled(String name) throws InterruptedException {
        long deadline = time.nanos() + PATIENCE.toNanos();
        Optional<Instance> there = instances.find(name);
        while (there.filter(one -> !SETTLED.contains(one.state())).isPresent() && time.nanos() < deadline) {
            time.sleep(BETWEEN_TRIES);
            there = instances.find(name);
        }
        return there;
    }

    /** The instance that a standby stands by for was replaced by others since: by the one that is called as it was. */
    private int bearer(int former) {
        try {
            return casebook.names(former).stream()
                    .flatMap(name -> instances.find(name).stream())
                    .mapToInt(Instance::id)
                    .findFirst()
                    .orElse(former);
        } catch (JournalException e) {
            LOG.warn("who stands for instance {} now cannot be read: {}", former, e.getMessage());
            return former;
        }
    }

    private Healing.Event tellEnd(Healing healing, long generation) throws InterruptedException {
        Patient patient = healing.patient();
        long successor = instances
                .find(patient.name())
                .filter(one -> one.state() == InstanceState.RUNNING && one.id() != patient.instanceId())
                .map(one -> (long) one.id())
                .orElse(Limits.NO_INSTANCE);
        Outcome outcome = healing.state() == RecoveryState.RECOVERY_COMPLETE ? Outcome.DONE : Outcome.FAILED;
        survivors.complete(instances.list(), patient, successor, outcome, generation);
        return new Healing.Event.Told();
    }

    private Optional<Instance> find(Patient patient) {
        return instances.find(patient.name()).filter(one -> one.id() == patient.instanceId());
    }
}
