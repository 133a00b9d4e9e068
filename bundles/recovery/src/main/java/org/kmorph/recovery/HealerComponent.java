// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.Listeners;
import org.kmorph.api.daemon.Succession;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.host.ConsoleTail;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.recovery.Recoveries;
import org.kmorph.api.recovery.RecoveryListener;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.kmpclient.KmpClient;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The healing as a service: a {@link Healer} that begins once its predecessor has stopped ({@link Succession}).
 */
@Component(
        service = {Recoveries.class, HealthListener.class},
        immediate = true)
public final class HealerComponent implements Recoveries, HealthListener {
    private static final Logger LOG = LoggerFactory.getLogger(HealerComponent.class);

    /** As many recoveries do something at once; more wait. */
    private static final int HANDS = 16;

    /** Of its console, in the evidence. */
    private static final int CONSOLE_LINES = 10;

    private final Listeners<RecoveryListener> listeners;
    private final Healer healer;
    private final Succession succession;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile HealthMonitor monitor;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Journal journal;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Policies policies;

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile Vmcores vmcores;

    @Activate
    public HealerComponent(
            BundleContext context,
            @Reference Instances instances,
            @Reference KmpClient client,
            @Reference TimeSource time,
            @Reference Randomness randomness)
            throws IOException {
        Directories directories = Directories.of(context);
        listeners = new Listeners<>(context);
        healer = new Healer(new RecoverySurroundings(
                instances,
                client,
                () -> this.monitor,
                () -> this.journal,
                () -> this.policies,
                listeners::all,
                () -> Optional.ofNullable(this.vmcores),
                id -> ConsoleTail.last(directories.instances().resolve(Integer.toString(id)), CONSOLE_LINES),
                time,
                randomness,
                loop(),
                hands()));
        Path lock =
                Files.createDirectories(directories.state().resolve("recovery")).resolve("lock");
        succession = new Succession(
                lock,
                "kmorph-recovery",
                healer::heal,
                e -> LOG.error("recoveries cannot go on, for the journal cannot be read: {}", e.getMessage(), e));
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addListener(ServiceReference<RecoveryListener> listener) {
        listeners.add(listener);
    }

    void removeListener(ServiceReference<RecoveryListener> listener) {
        listeners.remove(listener);
    }

    private static ScheduledExecutorService loop() {
        ScheduledThreadPoolExecutor made =
                new ScheduledThreadPoolExecutor(1, new DaemonThreads("kmorph-recovery-loop"));
        made.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        // closed between two steps: who comes after goes on from the journal
        made.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
        return made;
    }

    private static ExecutorService hands() {
        ThreadPoolExecutor made = new ThreadPoolExecutor(
                HANDS,
                HANDS,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new DaemonThreads("kmorph-recovery-hand"));
        made.allowCoreThreadTimeOut(true);
        made.setRejectedExecutionHandler(new ThreadPoolExecutor.DiscardPolicy());
        return made;
    }

    @Activate
    void begin() {
        succession.begin();
    }

    @Deactivate
    void stop() throws InterruptedException {
        succession.end();
    }

    @Override
    public void changed(HealthReport report, Health before) {
        healer.changed(report, before);
    }

    @Override
    public List<RecoveryReport> log(Optional<String> instance, Optional<Instant> since) throws IOException {
        return healer.log(instance, since);
    }

    @Override
    public List<String> plan(String instance) throws InstanceException {
        return healer.plan(instance);
    }

    @Override
    public RecoveryReport recover(String instance, String by, Duration timeout)
            throws InstanceException, InterruptedException {
        return healer.recover(instance, by, timeout);
    }
}
