// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.recovery.RecoveryListener;
import org.kmorph.api.recovery.RecoveryReport;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/**
 * What happens to instances, as long as this is open: a listener to each bundle that tells of it. It keeps at most
 * {@value #CAPACITY} changes for a reader that is slow, and counts those that it had to drop. Thread-safe.
 */
final class Changes implements AutoCloseable {
    private static final int CAPACITY = 10_000;

    /** What listens; told by hand in tests. */
    final HealthListener health = new OfHealth();

    final InstanceListener instances = new OfInstances();

    final RecoveryListener recoveries = new OfRecoveries();

    private final Supplier<Instant> now;
    private final BlockingQueue<Change> queue = new ArrayBlockingQueue<>(CAPACITY);
    private final AtomicLong dropped = new AtomicLong();
    private final List<ServiceRegistration<?>> registrations = new ArrayList<>();

    Changes(Supplier<Instant> now) {
        this.now = now;
    }

    /** Listens from now on. What begins to tell of instances later (a morph) is one line here and a listener below. */
    void listen(BundleContext bundle) {
        registrations.add(bundle.registerService(HealthListener.class, health, null));
        registrations.add(bundle.registerService(InstanceListener.class, instances, null));
        registrations.add(bundle.registerService(RecoveryListener.class, recoveries, null));
    }

    /** The next one, waiting so long for it. */
    Optional<Change> next(long nanos) throws InterruptedException {
        return Optional.ofNullable(queue.poll(nanos, TimeUnit.NANOSECONDS));
    }

    /** All that are there, without waiting. */
    List<Change> drain() {
        List<Change> all = new ArrayList<>();
        queue.drainTo(all);
        return all;
    }

    /** How many had to be dropped since this was asked last. */
    long takeDropped() {
        return dropped.getAndSet(0);
    }

    @Override
    public void close() {
        registrations.forEach(ServiceRegistration::unregister);
    }

    private void add(Instant at, String instance, String kind, String text) {
        if (!queue.offer(new Change(at, instance, kind, text))) {
            dropped.incrementAndGet();
        }
    }

    private final class OfInstances implements InstanceListener {
        @Override
        public void changed(Instance instance) {
            String detail = instance.detail().isEmpty() ? "" : ": " + instance.detail();
            add(instance.since(), instance.name(), Change.INSTANCE, instance.state() + detail);
        }

        @Override
        public void gone(Instance last) {
            add(now.get(), last.name(), Change.INSTANCE, Change.GONE);
        }

        @Override
        public void ended(Instance instance, String how) {
            add(now.get(), instance.name(), "ended", how);
        }
    }

    private final class OfRecoveries implements RecoveryListener {
        @Override
        public void changed(RecoveryReport report) {
            List<RecoveryReport.Step> steps = report.steps();
            String detail = steps.isEmpty() ? "" : steps.get(steps.size() - 1).detail();
            String signature = report.evidence().getOrDefault("crash_signature", "");
            add(
                    now.get(),
                    report.instance(),
                    "recovery",
                    report.state()
                            + (detail.isEmpty() ? "" : ": " + detail)
                            + (signature.isEmpty() ? "" : " (crash signature " + signature + ")"));
        }
    }

    private final class OfHealth implements HealthListener {
        @Override
        public void changed(HealthReport report, Health before) {
            add(
                    now.get(),
                    report.instance(),
                    Change.HEALTH,
                    before + " -> " + report.health() + ": " + report.reason());
        }

        @Override
        public void troubled(HealthReport report, String trouble) {
            add(now.get(), report.instance(), "trouble", trouble);
        }

        @Override
        public void rebooted(HealthReport report) {
            add(now.get(), report.instance(), "reboot", "it has booted again without having been asked to");
        }
    }
}
