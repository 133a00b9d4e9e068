// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.kmorph.api.daemon.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the door open as it is configured: opens it in the background, tries again while its port is taken or its host key unfit,
 * and follows a changed configuration by opening anew beside the old. All work is done on one thread of its own, so that nothing
 * waits for it.
 */
final class SshDoor {
    private static final Logger LOG = LoggerFactory.getLogger(SshDoor.class);
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(10);

    private final Engine engine;
    private final Duration betweenTries;
    private final ScheduledThreadPoolExecutor executor;
    /** Touched on the executor's thread alone, and after it has ended. */
    private final List<SshListener> retired = new ArrayList<>();

    private volatile Optional<SshListener> listener = Optional.empty();
    private volatile Optional<SshSettings> wanted = Optional.empty();
    private volatile String complaint = "";

    SshDoor(Engine engine) {
        this(engine, BETWEEN_TRIES);
    }

    SshDoor(Engine engine, Duration betweenTries) {
        this.engine = engine;
        this.betweenTries = betweenTries;
        executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new DaemonThreads("ssh door").newThread(task);
            // sshd's threads inherit it
            thread.setContextClassLoader(SshDoor.class.getClassLoader());
            return thread;
        });
        executor.setKeepAliveTime(1, TimeUnit.SECONDS);
        executor.allowCoreThreadTimeOut(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /**
     * Opens the door so, soon. Called again it changes it; who is connected stays connected.
     *
     * @param predecessor whether an older version of this bundle may be listening at the same port
     */
    void open(SshSettings settings, BooleanSupplier predecessor) {
        wanted = Optional.of(settings);
        executor.execute(() -> tryToOpen(settings, predecessor));
    }

    /** The port it listens on now. */
    Optional<Integer> port() {
        return listener.map(SshListener::port);
    }

    /** Why it is not open, for people; empty when it is. */
    String complaint() {
        return complaint;
    }

    /**
     * Closes the door.
     *
     * @param drain how long those who are connected get to end what they do
     * @param why for them
     */
    void close(Duration drain, String why) {
        executor.shutdownNow();
        // first, so that the successor has the port for itself
        listener.ifPresent(SshListener::retire);
        try {
            executor.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        listener.ifPresent(retired::add);
        listener = Optional.empty();
        long end = System.nanoTime() + drain.toNanos();
        for (SshListener each : retired) {
            each.close(Duration.ofNanos(Math.max(0, end - System.nanoTime())), why);
        }
        retired.clear();
    }

    private void tryToOpen(SshSettings settings, BooleanSupplier predecessor) {
        closeFinished();
        if (wanted.filter(now -> now == settings).isEmpty()) {
            return;
        }
        try {
            SshListener next = new SshListener(settings, engine);
            next.open(predecessor.getAsBoolean()
                    || listener.filter(now -> now.isAt(settings)).isPresent());
            listener.ifPresent(before -> {
                before.retire();
                retired.add(before);
            });
            listener = Optional.of(next);
            complaint = "";
            cleanLater();
        } catch (IOException | RuntimeException e) {
            String message = e instanceof IOException ? e.getMessage() : e.toString();
            if (!message.equals(complaint)) {
                LOG.error("{}; trying again every {} s", message, betweenTries.toSeconds());
                LOG.debug("the SSH door cannot be opened", e);
            }
            complaint = message;
            later(() -> tryToOpen(settings, predecessor));
        }
    }

    private void cleanLater() {
        if (!retired.isEmpty()) {
            later(() -> {
                closeFinished();
                cleanLater();
            });
        }
    }

    private void closeFinished() {
        retired.removeIf(each -> {
            boolean idle = each.isIdle();
            if (idle) {
                each.close(Duration.ZERO, "");
            }
            return idle;
        });
    }

    private void later(Runnable task) {
        if (!executor.isShutdown()) {
            executor.schedule(task, betweenTries.toMillis(), TimeUnit.MILLISECONDS);
        }
    }
}
