// SPDX-License-Identifier: Apache-2.0
package org.kmorph.systemd;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.nativeos.UnixDatagrams;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The daemon's side of sd_notify(3): ready when the check first succeeds, then alive as often as it goes on to succeed. A daemon
 * that does not answer gives no sign of life, and systemd restarts it. Thread-safe.
 */
final class Link implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Link.class);
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(20);
    private static final Duration FOR_SENDING = Duration.ofSeconds(1);

    private final UnixDatagrams datagrams;
    private final String address;
    private final Optional<Duration> watchdog;
    private final Supplier<Optional<String>> check;
    private final ScheduledExecutorService executor =
            Executors.newSingleThreadScheduledExecutor(new DaemonThreads("systemd"));
    /** What the check said last; touched by the executor's thread alone. */
    private Optional<String> trouble = Optional.empty();

    /**
     * @param address of systemd's socket, from NOTIFY_SOCKET
     * @param watchdog after so long without a sign of life systemd acts; empty when it does not watch
     * @param check why the daemon does not answer, empty when it does; answers within a bounded time
     */
    Link(UnixDatagrams datagrams, String address, Optional<Duration> watchdog, Supplier<Optional<String>> check) {
        this.datagrams = datagrams;
        this.address = address;
        this.watchdog = watchdog;
        this.check = check;
    }

    void start() {
        executor.execute(this::awaitReady);
    }

    /** The configuration is being read again. */
    void reloading() {
        later(Notice.RELOADING);
    }

    /** It was. */
    void reloaded() {
        later(Notice.ready(ProcessHandle.current().pid()));
    }

    /** The daemon goes down on purpose. Sent when the call returns. */
    void stopping() {
        executor.shutdownNow();
        send(Notice.STOPPING);
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }

    private void awaitReady() {
        if (check.get().isPresent()) {
            schedule(this::awaitReady, BETWEEN_TRIES);
            return;
        }
        send(Notice.ready(ProcessHandle.current().pid()));
        watch();
    }

    private void watch() {
        watchdog.ifPresent(limit -> {
            signOfLife();
            // half of the limit, as sd_watchdog_enabled(3) recommends
            schedule(this::watch, limit.dividedBy(2));
        });
    }

    private void signOfLife() {
        Optional<String> now = check.get();
        if (now.isEmpty()) {
            send(Notice.WATCHDOG);
            if (trouble.isPresent()) {
                LOG.info("the daemon answers again");
                send(Notice.status("running"));
            }
        } else if (!now.equals(trouble)) {
            LOG.error("the daemon does not answer, systemd will restart it if that lasts: {}", now.get());
            send(Notice.status("does not answer: " + now.get()));
        }
        trouble = now;
    }

    private void later(String notice) {
        if (!executor.isShutdown()) {
            executor.execute(() -> send(notice));
        }
    }

    private void schedule(Runnable task, Duration after) {
        if (!executor.isShutdown()) {
            executor.schedule(task, after.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    private void send(String notice) {
        try {
            datagrams.send(address, notice.getBytes(UTF_8), FOR_SENDING);
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("systemd was not told {}: {}", notice.replace('\n', ' '), e.getMessage());
        }
    }
}
