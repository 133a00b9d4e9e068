// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportlocal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
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

    /** One read takes at most this much, so that a peer that floods gets no more than its turn. */
    private static final int READ_BYTES = 64 << 10;

    private final Selector selector;
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Deadlines deadlines = new Deadlines();
    private final AtomicInteger connections = new AtomicInteger();
    private final ByteBuffer readBuffer = ByteBuffer.allocateDirect(READ_BYTES);
    private final int maxConnections;
    private final int queueBytes;
    private final Thread thread = new Thread(this::run, "kmorph-transport-local");
    private volatile boolean stopping;

    EventLoop(int maxConnections, int queueBytes) throws IOException {
        this.maxConnections = maxConnections;
        this.queueBytes = queueBytes;
        selector = Selector.open();
        thread.setDaemon(true);
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
                deadlines.add(System.nanoTime() + deadline.toNanos(), () -> connection.expire(deadline));
                connection.open(selector);
            });
        }
        return connection;
    }

    /** Runs it on the loop's thread, soon. */
    void execute(Runnable task) {
        tasks.add(task);
        if (Thread.currentThread() != thread) {
            selector.wakeup();
        }
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
        try {
            while (!stopping) {
                long wait = tasks.isEmpty() ? deadlines.millisToNext(System.nanoTime()) : -1;
                if (wait < 0) {
                    selector.selectNow(key -> ((UnixConnection) key.attachment()).ready(key));
                } else {
                    selector.select(key -> ((UnixConnection) key.attachment()).ready(key), wait);
                }
                runTasks();
                deadlines.runExpired(System.nanoTime());
            }
            selector.keys().stream()
                    .map(key -> (UnixConnection) key.attachment())
                    .toList()
                    .forEach(connection -> connection.end("the transport stops"));
            runTasks();
            selector.close();
        } catch (IOException e) {
            LOG.error("the event loop ended", e);
        }
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }
}
