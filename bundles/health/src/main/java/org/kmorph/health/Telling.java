// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log and the listeners what changed: in order, on one thread, so that no listener holds up a heartbeat. What listeners are too
 * slow for is dropped and said so; they find how things stand in the reports.
 */
final class Telling implements WatchSurroundings.Tell {
    private static final Logger LOG = LoggerFactory.getLogger(Telling.class);

    private final Supplier<List<HealthListener>> listeners;
    private final ExecutorService thread;

    /** @param thread one; rejects what it has no room for */
    Telling(Supplier<List<HealthListener>> listeners, ExecutorService thread) {
        this.listeners = listeners;
        this.thread = thread;
    }

    @Override
    public void changed(Watch watch, Health before, String reason) {
        HealthReport report = watch.report();
        switch (report.health()) {
            case FAILED, AGENT_DEAD ->
                LOG.error("instance \"{}\" was {} and is {}: {}", report.instance(), before, report.health(), reason);
            case SUSPECT -> LOG.warn("instance \"{}\" was {} and is SUSPECT: {}", report.instance(), before, reason);
            case UNKNOWN, HEALTHY ->
                LOG.info("instance \"{}\" was {} and is {}: {}", report.instance(), before, report.health(), reason);
        }
        all(listener -> listener.changed(report, before));
    }

    @Override
    public void troubled(Watch watch, String trouble) {
        HealthReport report = watch.report();
        LOG.warn("instance \"{}\" reports: {}", report.instance(), trouble);
        all(listener -> listener.troubled(report, trouble));
    }

    @Override
    public void rebooted(Watch watch) {
        HealthReport report = watch.report();
        LOG.warn("instance \"{}\" has booted again without having been asked to", report.instance());
        all(listener -> listener.rebooted(report));
    }

    private void all(Consumer<HealthListener> what) {
        try {
            thread.execute(() -> listeners.get().forEach(listener -> tell(listener, what)));
        } catch (RejectedExecutionException e) {
            if (!thread.isShutdown()) {
                LOG.error("too many events of health wait for their listeners; one was dropped");
            }
        }
    }

    /** A listener may come from a dropped-in bundle: what it throws is its own trouble. */
    private static void tell(HealthListener listener, Consumer<HealthListener> what) {
        try {
            what.accept(listener);
        } catch (RuntimeException e) {
            LOG.warn("listener {} failed", listener.getClass().getName(), e);
        }
    }

    void stop() {
        thread.shutdown();
    }
}
