// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads that keep no daemon from ending.
 *
 * @param name of each of them, as a thread dump and the log show it
 */
public record DaemonThreads(String name) implements ThreadFactory {
    private static final Duration IDLE = Duration.ofMillis(100);

    @Override
    public Thread newThread(Runnable task) {
        Thread made = new Thread(task, name);
        made.setDaemon(true);
        return made;
    }

    /** Runs one task after the other, in their order, on a thread that is there as long as there are any. It needs no shutting down. */
    public Executor fleeting() {
        ThreadPoolExecutor made =
                new ThreadPoolExecutor(1, 1, IDLE.toMillis(), TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(), this);
        made.allowCoreThreadTimeOut(true);
        return made;
    }
}
