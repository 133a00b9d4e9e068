// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
import org.kmorph.api.host.KernelEvents;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps in which an instance ends or is adopted. Each is recorded, then taken, then its end is recorded; each may be taken again, so a
 * daemon killed between any two of them is no special case. Whoever takes one holds the instance's name.
 */
final class Steps {
    private static final Logger LOG = LoggerFactory.getLogger(Steps.class);

    /** How long a kernel of which nobody waits may take to be fenced. */
    static final Duration FENCE_PATIENCE = Duration.ofSeconds(30);

    private final InstanceDirectories directories;
    private final Ledger ledger;
    private final Hosts hosts;
    private final Announcer announcer;

    Steps(InstanceDirectories directories, Ledger ledger, Hosts hosts, Announcer announcer) {
        this.directories = directories;
        this.ledger = ledger;
        this.hosts = hosts;
        this.announcer = announcer;
    }

    /** What a host is given to tell of a kernel by. */
    Ending ending(int id) {
        return new Ending(id);
    }

    /** The directory of an instance. */
    Path directory(InstanceRecord record) {
        return directories.of(record.instance().id());
    }

    /** Fences what runs, and gives everything back. */
    void removeAll(InstanceRecord record, Duration timeout, String why) throws InstanceException, InterruptedException {
        InstanceRecord fenced = record.instance().state() == InstanceState.FENCING ? fence(record, timeout) : record;
        release(fenced, why);
    }

    InstanceRecord fence(InstanceRecord record, Duration timeout) throws InstanceException, InterruptedException {
        Instance instance = record.instance();
        try {
            hosts.get(instance.spec().host()).fence(instance.id(), directory(record), timeout);
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

    /** As good as it goes when nothing can be recorded. */
    void fenceUnrecorded(InstanceRecord record) throws InstanceException, InterruptedException {
        try {
            hosts.get(record.instance().spec().host()).fence(record.instance().id(), directory(record), FENCE_PATIENCE);
        } catch (HostException e) {
            LOG.debug("it is fenced once more, and what comes of that is recorded", e);
        }
    }

    Instance release(InstanceRecord record, String why) throws InstanceException, InterruptedException {
        InstanceRecord releasing = ledger.move(record, Lifecycle.Event.RELEASE, why);
        Instance instance = releasing.instance();
        try {
            hosts.get(instance.spec().host()).release(instance.id(), directory(record));
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

    /** Takes up one that a former daemon started. */
    void adopt(InstanceRecord record) throws InstanceException, InterruptedException {
        Instance instance = record.instance();
        Ending ending = new Ending(instance.id());
        try {
            HostedKernel kernel =
                    hosts.get(instance.spec().host()).adopt(instance.id(), instance.spec(), directory(record), ending);
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

    /** Has a new version of its host take up one that runs. */
    void takeUp(InstanceRecord record) throws InstanceException, HostException, InterruptedException {
        Instance instance = record.instance();
        Ending ending = new Ending(instance.id());
        HostedKernel kernel =
                hosts.get(instance.spec().host()).adopt(instance.id(), instance.spec(), directory(record), ending);
        ending.arm(instance);
        kernel.ended().ifPresent(how -> announcer.ended(instance, how));
    }

    /** What a host tells of a kernel, passed on once the instance is known to others. */
    final class Ending implements KernelEvents {
        private final int id;
        private Optional<String> told = Optional.empty();
        private boolean armed;

        private Ending(int id) {
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
