// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.time.Deadlines;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.Poller;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread of this transport: it waits for descriptors, deadlines and tasks. Handlers and tasks run on it; what they throw is
 * logged, and the loop goes on.
 */
final class Loop {
    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);

    /** What is done about a descriptor that is ready. */
    @FunctionalInterface
    interface Ready {
        void ready(boolean readable, boolean writable);
    }

    private final Poller poller;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Deadlines deadlines = new Deadlines();
    private final Map<Integer, Ready> watched = new HashMap<>();
    private final Set<QueuedConnection> connections = new LinkedHashSet<>();
    private final Thread thread = new DaemonThreads("kmorph-transport-vsock").newThread(this::run);
    private volatile boolean stopping;
    private volatile boolean refusing;
    private volatile boolean over;

    /** For what is asked when the loop has ended: it must be answered, and who asks may hold locks. */
    private final Executor late = new DaemonThreads("kmorph-transport-vsock").fleeting();

    Loop(Poller poller) {
        this.poller = poller;
    }

    void start() {
        thread.start();
    }

    /** Runs what was given to it so far, ends the thread and gives everything back. */
    void stop() throws InterruptedException {
        stopping = true;
        poller.wake();
        thread.join();
    }

    /** Runs it on the loop's thread, soon; once that has ended, on one that takes its place. From any thread, which may hold any lock. */
    void execute(Runnable task) {
        tasks.add(task);
        if (over) {
            late.execute(this::runAll);
        } else if (!onLoop()) {
            poller.wake();
        }
    }

    /** Whether this transport still makes connections. */
    boolean accepting() {
        return !refusing;
    }

    /** Runs it on the loop's thread after that time. On the loop. */
    void after(Duration time, Runnable task) {
        deadlines.add(System.nanoTime() + time.toNanos(), task);
    }

    boolean onLoop() {
        return Thread.currentThread() == thread;
    }

    /**
     * Adds a connection that begins; {@link #ended} takes it out. On the loop.
     *
     * @return false when there are as many as may be
     */
    boolean begins(QueuedConnection connection, int most) {
        return hasRoom(most) && connections.add(connection);
    }

    /** On the loop. */
    boolean hasRoom(int most) {
        return accepting() && connections.size() < most;
    }

    void ended(QueuedConnection connection) {
        connections.remove(connection);
    }

    /** Lets no more connections begin. From any thread. */
    void refuse() {
        refusing = true;
    }

    /** On the loop. */
    void closeAll(String why) {
        List.copyOf(connections).forEach(connection -> connection.close(why));
    }

    /** On the loop. */
    void watch(int fd, boolean reading, boolean writing, Ready ready) throws ErrnoException {
        poller.watch(fd, reading, writing);
        watched.put(fd, ready);
    }

    /** Before the descriptor is closed. On the loop. */
    void forget(int fd) {
        watched.remove(fd);
        poller.forget(fd);
    }

    private void run() {
        try {
            while (!stopping) {
                long wait = tasks.isEmpty() ? deadlines.millisToNext(System.nanoTime()) : -1;
                poller.await((int) Math.max(0, wait), (fd, readable, writable) -> Optional.ofNullable(watched.get(fd))
                        .ifPresent(ready -> guard(() -> ready.ready(readable, writable))));
                runTasks();
                guard(() -> deadlines.runExpired(System.nanoTime()));
            }
        } catch (ErrnoException e) {
            LOG.error("the event loop of transport-vsock ended", e);
            refuse();
            closeAll("the event loop ended: " + e.getMessage());
        } finally {
            runAll();
            poller.close();
            over = true;
            if (!tasks.isEmpty()) {
                late.execute(this::runAll);
            }
        }
    }

    private void runAll() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            guard(task);
        }
    }

    private void runTasks() {
        // only those that are there now: a task that repeats itself must not keep descriptors and deadlines waiting
        for (int left = tasks.size(); left > 0; left--) {
            Optional.ofNullable(tasks.poll()).ifPresent(Loop::guard);
        }
    }

    private static void guard(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.error("a task of transport-vsock failed", e);
        }
    }
}
