// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportlocal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.time.Deadlines;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread for all connections: it selects, reads, writes, keeps deadlines and calls the handlers. A handler that throws loses its
 * own connection; the loop goes on.
 */
final class EventLoop {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

    /** What is answered to who asks too late. */
    static final String STOPPED = "the transport has stopped";

    /** One read takes at most this much, so that a peer that floods gets no more than its turn. */
    private static final int READ_BYTES = 64 << 10;

    private final Selector selector;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Deadlines deadlines = new Deadlines();
    private final AtomicInteger connections = new AtomicInteger();
    private final ByteBuffer readBuffer = ByteBuffer.allocateDirect(READ_BYTES);
    private final int maxConnections;
    private final int queueBytes;
    private final Thread thread = new DaemonThreads("kmorph-transport-local").newThread(this::run);

    /** For what is asked when the loop has ended: it must be answered, and who asks may hold locks. */
    private final Executor late = new DaemonThreads("kmorph-transport-local").fleeting();

    private volatile boolean stopping;
    private volatile boolean over;

    EventLoop(int maxConnections, int queueBytes) throws IOException {
        this.maxConnections = maxConnections;
        this.queueBytes = queueBytes;
        selector = Selector.open();
    }

    void start() {
        thread.start();
    }

    /** Closes all connections, tells their handlers, and ends the thread. */
    void stop() throws InterruptedException {
        stopping = true;
        selector.wakeup();
        thread.join();
    }

    Connection connect(String path, Duration deadline, ConnectionHandler handler) {
        UnixConnection connection = new UnixConnection(this, path, handler, queueBytes);
        if (connections.incrementAndGet() > maxConnections) {
            execute(() -> connection.end("there are " + maxConnections + " connections, as many as max.connections in"
                    + " etc/org.kmorph.transport-local.cfg allows"));
        } else {
            execute(() -> {
                if (stopping) {
                    connection.end(STOPPED);
                    return;
                }
                long end = System.nanoTime() + deadline.toNanos();
                connection.open(selector);
                if (connection.isConnecting()) {
                    deadlines.add(end, () -> connection.expire(deadline));
                }
            });
        }
        return connection;
    }

    /** Runs it on the loop's thread, soon; once that has ended, on one that takes its place. From any thread, which may hold any lock. */
    void execute(Runnable task) {
        tasks.add(task);
        if (over) {
            late.execute(this::runTasks);
        } else if (Thread.currentThread() != thread) {
            selector.wakeup();
        }
    }

    /**
     * Runs it on the loop's thread, so long after the loop has come to know of it; at once when the loop ends before: {@link #hasStopped}
     * tells.
     */
    void executeLater(Duration delay, Runnable task) {
        execute(() -> {
            if (stopping) {
                task.run();
            } else {
                deadlines.add(System.nanoTime() + delay.toNanos(), task);
            }
        });
    }

    boolean hasStopped() {
        return stopping;
    }

    boolean onLoop() {
        return Thread.currentThread() == thread;
    }

    ByteBuffer readBuffer() {
        return readBuffer.clear();
    }

    void forget() {
        connections.decrementAndGet();
    }

    private void run() {
        String why = "the transport stops";
        try {
            while (!stopping) {
                turn();
            }
        } catch (IOException e) {
            LOG.error("the event loop ended", e);
            why = "the event loop of transport-local ended: " + e.getMessage();
            stopping = true;
        }
        runTasks();
        for (SelectionKey key : List.copyOf(selector.keys())) {
            ((UnixConnection) key.attachment()).end(why);
        }
        guard(deadlines::runAll);
        runTasks();
        try {
            selector.close();
        } catch (IOException e) {
            LOG.debug("closing the selector", e);
        }
        over = true;
        if (!tasks.isEmpty()) {
            late.execute(this::runTasks);
        }
    }

    private void turn() throws IOException {
        long wait = tasks.isEmpty() ? deadlines.millisToNext(System.nanoTime()) : -1;
        if (wait < 0) {
            selector.selectNow(EventLoop::ready);
        } else {
            selector.select(EventLoop::ready, wait);
        }
        runTasks();
        guard(() -> deadlines.runExpired(System.nanoTime()));
    }

    private static void ready(SelectionKey key) {
        guard(() -> ((UnixConnection) key.attachment()).ready(key));
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            guard(task);
        }
    }

    private static void guard(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.error("a task of transport-local failed", e);
        }
    }
}
