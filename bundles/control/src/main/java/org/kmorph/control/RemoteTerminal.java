// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.kmorph.api.command.CallerTerminal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The terminal at the client's end. */
final class RemoteTerminal implements CallerTerminal {
    private static final Logger LOG = LoggerFactory.getLogger(RemoteTerminal.class);

    private final String type;
    private final boolean noColour;
    private final Outbox outbox;
    private final Executor threads;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final AtomicInteger changes = new AtomicInteger();
    private volatile WindowSize size;
    private boolean raw;

    /** @param threads where resize listeners run */
    RemoteTerminal(StartRequest request, Outbox outbox, Executor threads) {
        this.type = request.term().isEmpty() ? "dumb" : request.term();
        this.noColour = request.noColour();
        this.size = request.size();
        this.outbox = outbox;
        this.threads = threads;
    }

    @Override
    public String type() {
        return type;
    }

    @Override
    public int columns() {
        return size.columns();
    }

    @Override
    public int rows() {
        return size.rows();
    }

    @Override
    public boolean colour() {
        return !noColour && !type.equals("dumb");
    }

    @Override
    public AutoCloseable onResize(Runnable listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Override
    public synchronized void raw(boolean wanted) {
        if (raw != wanted) {
            raw = wanted;
            try {
                outbox.frame(Frame.mode(wanted));
            } catch (InterruptedIOException e) {
                // the thread stays interrupted: its command is being cancelled and the client listens to no more
                LOG.debug("terminal mode not sent: {}", e.getMessage());
            }
        }
    }

    /** Puts back line mode without waiting; the last thing before the exit code. */
    synchronized void restore() {
        listeners.clear();
        if (raw) {
            raw = false;
            outbox.urgent(Frame.mode(false));
        }
    }

    /** The window changed. Never waits: any number of changes while listeners work are one more call of them. */
    void resized(WindowSize now) {
        size = now;
        if (!listeners.isEmpty() && changes.getAndIncrement() == 0) {
            threads.execute(this::tellListeners);
        }
    }

    private void tellListeners() {
        int seen;
        do {
            seen = changes.get();
            for (Runnable listener : listeners) {
                try {
                    listener.run();
                } catch (RuntimeException e) {
                    LOG.warn("a listener to window changes failed", e);
                }
            }
        } while (changes.addAndGet(-seen) != 0);
    }
}
