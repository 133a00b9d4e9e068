// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads that keep no daemon from ending, and no bundle from going: a thread inherits from the one that makes it a class loader and
 * the protection domains of all that is on its stack, and holds both for as long as it lives. These inherit neither. Their context
 * class loader is that of the application; who needs another sets it.
 *
 * @param name of each of them, as a thread dump and the log show it
 */
public record DaemonThreads(String name) implements ThreadFactory {
    private static final Duration IDLE = Duration.ofMillis(100);

    @Override
    public Thread newThread(Runnable task) {
        Thread made = withoutCallers(task);
        made.setDaemon(true);
        made.setContextClassLoader(ClassLoader.getSystemClassLoader());
        return made;
    }

    /** A command that replaces the bundle it came in by starts threads of the next one, and so on: their domains would add up. */
    @SuppressWarnings("removal") // nothing else cuts off who called, on the Java that we run on
    private Thread withoutCallers(Runnable task) {
        return AccessController.doPrivileged((PrivilegedAction<Thread>) () -> new Thread(task, name));
    }

    /** Runs one task after the other, in their order, on a thread that is there as long as there are any. It needs no shutting down. */
    public Executor fleeting() {
        ThreadPoolExecutor made =
                new ThreadPoolExecutor(1, 1, IDLE.toMillis(), TimeUnit.MILLISECONDS, new LinkedBlockingQueue<>(), this);
        made.allowCoreThreadTimeOut(true);
        return made;
    }
}
