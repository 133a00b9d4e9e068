// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread for all sessions, begun when it is first needed. */
final class ThreadTimer implements Timer {
    private static final Logger LOG = LoggerFactory.getLogger(ThreadTimer.class);

    private final ScheduledExecutorService executor;

    /** @param executor one thread */
    ThreadTimer(ScheduledExecutorService executor) {
        this.executor = executor;
    }

    /** Of a thread of its own. */
    static ThreadTimer make() {
        ScheduledThreadPoolExecutor executor =
                new ScheduledThreadPoolExecutor(1, new DaemonThreads("kmorph-kmp-client"));
        executor.setRemoveOnCancelPolicy(true);
        return new ThreadTimer(executor);
    }

    @Override
    public Handle after(long nanos, Runnable action) {
        try {
            ScheduledFuture<?> scheduled = executor.schedule(() -> run(action), nanos, TimeUnit.NANOSECONDS);
            return () -> scheduled.cancel(false);
        } catch (RejectedExecutionException e) {
            LOG.debug("nothing is timed any more: the client stops", e);
            return () -> {};
        }
    }

    private static void run(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            LOG.error("a timed action failed", e);
        }
    }

    void stop() {
        executor.shutdownNow();
    }
}
