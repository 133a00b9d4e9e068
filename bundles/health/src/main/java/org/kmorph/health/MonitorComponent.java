// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.daemon.Listeners;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthPolicy;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicyListener;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport;
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

/** The monitor as a service: a {@link Monitor} and the thread that it beats on. Its {@link Predecessor} tells it what it knew. */
@Component(service = {HealthMonitor.class, InstanceListener.class, PolicyListener.class})
public final class MonitorComponent implements HealthMonitor, InstanceListener, PolicyListener {
    private static final int MAX_WAITING_EVENTS = 8192;

    private final Listeners<HealthListener> listeners;
    private final Monitor monitor;
    private final Thread beat;
    private volatile boolean stopping;

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    private volatile List<Transport> transports = List.of();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Policies policies;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile TimeSource time;

    @Activate
    public MonitorComponent(BundleContext context, @Reference KmpClient client) {
        listeners = new Listeners<>(context);
        beat = new DaemonThreads("kmorph-health").newThread(this::run);
        monitor = new Monitor(new MonitorSurroundings(
                TimeSource.from(() -> this.time),
                client,
                () -> this.transports,
                () -> this.policies,
                listeners::all,
                new Predecessor(context)::report,
                teller(),
                () -> LockSupport.unpark(beat)));
    }

    private static ExecutorService teller() {
        ThreadPoolExecutor made = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MAX_WAITING_EVENTS),
                new DaemonThreads("kmorph-health-events"));
        made.allowCoreThreadTimeOut(true);
        return made;
    }

    @Activate
    void start() {
        beat.start();
    }

    private void run() {
        while (!stopping) {
            long next = monitor.turn(time.nanos());
            LockSupport.parkNanos(this, Math.max(1, next - time.nanos()));
        }
    }

    @Deactivate
    void stop() throws InterruptedException {
        stopping = true;
        LockSupport.unpark(beat);
        beat.join();
        monitor.close();
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addListener(ServiceReference<HealthListener> listener) {
        listeners.add(listener);
    }

    void removeListener(ServiceReference<HealthListener> listener) {
        listeners.remove(listener);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addPolicy(HealthPolicy policy) {
        monitor.addPolicy(policy);
    }

    void removePolicy(HealthPolicy policy) {
        monitor.removePolicy(policy);
    }

    @Override
    public void changed(Instance instance) {
        monitor.changed(instance);
    }

    @Override
    public void gone(Instance last) {
        monitor.gone(last);
    }

    @Override
    public void ended(Instance instance, String how) {
        monitor.ended(instance, how);
    }

    @Override
    public void changed(Optional<String> name) {
        monitor.changed(name);
    }

    @Override
    public Optional<HealthReport> report(String instance) {
        return monitor.report(instance);
    }

    @Override
    public List<HealthReport> reports() {
        return monitor.reports();
    }

    @Override
    public List<HealthReport> reports(Health judged) {
        return monitor.reports(judged);
    }

    @Override
    public Optional<Duration> ping(String instance, Duration deadline) throws InterruptedException {
        return monitor.ping(instance, deadline);
    }
}
