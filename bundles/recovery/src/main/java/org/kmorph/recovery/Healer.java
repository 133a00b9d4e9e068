// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.recovery.Recoveries;
import org.kmorph.api.recovery.RecoveryReport;

/**
 * The healing, without a framework around it: {@link #heal} goes on with what the journal says is under way, and looks at the monitor's
 * judgements for what has failed: when it is told of one, and once a second, so that none is lost in a change of bundles. Thread-safe.
 */
public final class Healer implements Recoveries, HealthListener {
    private static final Duration LOOK = Duration.ofSeconds(1);

    /** As long as the registry gives what it is asked for when it is replaced itself. */
    private static final Duration START_PATIENCE = Duration.ofSeconds(10);

    /** How long a call waits for {@link #heal} to begin. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final RecoverySurroundings surroundings;
    private final Casebook casebook;
    private final Ward ward;
    private final CompletableFuture<Void> acting = new CompletableFuture<>();

    public Healer(RecoverySurroundings surroundings) {
        this.surroundings = surroundings;
        casebook = new Casebook(surroundings.journal(), surroundings.time());
        Survivors survivors = new Survivors(surroundings.client(), surroundings.time());
        Standby standby = new Standby(surroundings.client(), surroundings.time());
        ward = new Ward(
                casebook,
                new Hands(
                        surroundings.instances(),
                        survivors,
                        new Captures(surroundings.vmcores()),
                        standby,
                        new Activation(
                                standby::activate, surroundings.instances(), this::hasFailed, surroundings.time()),
                        casebook,
                        surroundings.time()),
                surroundings.policies(),
                new Bulletin(casebook, surroundings.listeners()),
                surroundings.consoles(),
                surroundings.time(),
                surroundings.randomness(),
                surroundings.loop(),
                surroundings.hands(),
                START_PATIENCE);
    }

    /** Heals until it is interrupted. Nobody else does when this is called, and nobody may before it has returned. */
    public void heal() throws JournalException, InterruptedException {
        try {
            ward.takeOver();
            acting.complete(null);
            while (true) {
                look();
                surroundings.time().sleep(LOOK);
            }
        } finally {
            ward.close();
        }
    }

    private boolean hasFailed(Instance instance) {
        return surroundings
                .monitor()
                .get()
                .report(instance.name())
                .filter(report -> report.id() == instance.id() && report.health() == Health.FAILED)
                .isPresent();
    }

    private void look() {
        for (HealthReport report : surroundings.monitor().get().reports(Health.FAILED)) {
            look(report);
        }
        surroundings.instances().list().stream()
                .filter(instance -> instance.state() == InstanceState.FENCED)
                .forEach(ward::fenced);
    }

    private void look(HealthReport report) {
        if (report.health() == Health.FAILED) {
            surroundings
                    .instances()
                    .find(report.instance())
                    .filter(instance -> instance.id() == report.id())
                    .ifPresent(instance -> ward.failed(instance, report));
        }
    }

    @Override
    public void changed(HealthReport report, Health before) {
        if (acting.isDone()) {
            look(report);
        }
    }

    @Override
    public List<RecoveryReport> log(Optional<String> instance, Optional<Instant> since) throws IOException {
        return casebook.log(instance, since);
    }

    @Override
    public List<String> plan(String instance) throws InstanceException {
        return ward.plan(find(instance));
    }

    @Override
    public RecoveryReport recover(String instance, String by, Duration timeout)
            throws InstanceException, InterruptedException {
        Instance patient = find(instance);
        try {
            surroundings.time().await(acting, PATIENCE);
        } catch (TimeoutException | ExecutionException e) {
            throw new InstanceException(Reason.TIMED_OUT, "the recovery bundle is being replaced; try again", e);
        }
        Optional<HealthReport> known = surroundings.monitor().get().report(instance);
        try {
            return surroundings.time().await(ward.recover(patient, known, by), timeout);
        } catch (TimeoutException e) {
            throw new InstanceException(
                    Reason.TIMED_OUT,
                    "the recovery of \"" + instance + "\" is not over yet; it goes on: `recovery-log --instance="
                            + instance + "`",
                    e);
        } catch (ExecutionException e) {
            throw new InstanceException(Reason.FAILED, e.getCause().getMessage(), e);
        }
    }

    private Instance find(String name) throws InstanceException {
        return surroundings
                .instances()
                .find(name)
                .orElseThrow(() -> new InstanceException(
                        Reason.NO_SUCH_INSTANCE, "no instance \"" + name + "\"; `list` shows those there are"));
    }
}
