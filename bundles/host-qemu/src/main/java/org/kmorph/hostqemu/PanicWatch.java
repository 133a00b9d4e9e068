// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.kmorph.api.host.ConsoleTail;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/**
 * Listens for one machine's panic, as its pvpanic device and QEMU tell it, and says so once. A machine that QEMU or KVM gives up
 * (internal-error) is told likewise.
 */
final class PanicWatch implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(100);
    private static final String QUERY = "query-status";
    private static final int LINES = 24;
    private static final long CONSOLE_MS = 60;

    private final Supplier<Optional<Transport>> unix;
    private final Path directory;
    private final ScheduledExecutorService timer;
    private final Consumer<String> panicked;
    private Optional<Connection> connection = Optional.empty();
    private boolean over;

    /** @param panicked told how, on the timer's thread */
    PanicWatch(
            Supplier<Optional<Transport>> unix,
            Path directory,
            ScheduledExecutorService timer,
            Consumer<String> panicked) {
        this.unix = unix;
        this.directory = directory;
        this.timer = timer;
        this.panicked = panicked;
    }

    synchronized void connect() {
        Optional<Transport> transport = over ? Optional.empty() : unix.get();
        Endpoint socket = new Endpoint("unix", directory.resolve(Machine.EVENTS).toString());
        connection = transport.map(open ->
                open.connect(socket, CONNECT, new QmpLine(QUERY, Map.of(), this::heard, why -> later(this::connect))));
        if (transport.isEmpty()) {
            later(this::connect);
        }
    }

    private void heard(Connection from, Map<String, Object> object) {
        Object status = object.get("return") instanceof Map<?, ?> answer ? answer.get("status") : "";
        if ("GUEST_PANICKED".equals(object.get("event")) || "guest-panicked".equals(status)) {
            Instant at = time(object);
            later(Duration.ZERO, () -> panic(at));
        } else if ("internal-error".equals(status)) {
            Instant at = Instant.now();
            later(Duration.ZERO, () -> givenUp(at));
        } else if ("STOP".equals(object.get("event"))) {
            // why it stopped is in the state alone
            QmpLine.ask(from, QUERY, Map.of());
        }
    }

    /** When QEMU says that it happened; of what was only found, now. */
    private static Instant time(Map<String, Object> event) {
        return event.get("timestamp") instanceof Map<?, ?> time
                        && time.get("seconds") instanceof Number seconds
                        && time.get("microseconds") instanceof Number micros
                ? Instant.ofEpochSecond(seconds.longValue(), micros.longValue() * 1000)
                : Instant.now();
    }

    private void givenUp(Instant at) {
        if (isOver()) {
            return;
        }
        close();
        panicked.accept("its machine was given up at " + at
                + ", as QEMU says by \"internal-error\"; where that is KVM's, accel=tcg in"
                + " etc/org.kmorph.host-qemu.cfg does without it; the last of its console:\n  "
                + String.join("\n  ", ConsoleTail.last(directory, LINES)));
    }

    private synchronized boolean isOver() {
        return over;
    }

    private void panic(Instant at) {
        if (isOver()) {
            return;
        }
        close();
        try {
            List<String> lines = Console.panic(directory, LINES, CONSOLE_MS);
            panicked.accept(
                    "its kernel panicked at " + at + "; the last of its console:\n  " + String.join("\n  ", lines));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void later(Runnable what) {
        later(BETWEEN_TRIES, what);
    }

    private void later(Duration time, Runnable what) {
        if (isOver()) {
            return;
        }
        try {
            timer.schedule(what, time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // the host stops, and with it all watching
            close();
        }
    }

    @Override
    public void close() {
        Optional<Connection> open;
        synchronized (this) {
            over = true;
            open = connection;
            connection = Optional.empty();
        }
        open.ifPresent(each -> each.close("watched no more"));
    }
}
