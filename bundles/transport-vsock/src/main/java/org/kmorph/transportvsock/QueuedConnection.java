// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection with its bounded queue of bytes that wait for the peer. {@link #send} and {@link #close} may be called from any thread;
 * all else happens on the loop's. The queue is guarded by this object.
 */
abstract class QueuedConnection implements Connection {
    private static final Logger LOG = LoggerFactory.getLogger(QueuedConnection.class);

    private final Loop loop;
    private final String peer;
    private final ConnectionHandler handler;
    private final int queueBytes;
    private final Deque<ByteBuffer> queue = new ArrayDeque<>();
    private int queued;
    private boolean refused;
    private boolean open;
    private boolean ended;

    /** @param peer for people */
    QueuedConnection(Loop loop, String peer, ConnectionHandler handler, int queueBytes) {
        this.loop = loop;
        this.peer = peer;
        this.handler = handler;
        this.queueBytes = queueBytes;
    }

    /** Sends what waits, as far as the peer takes it. On the loop. */
    abstract void flush();

    /** Gives back what it holds; {@link #ended} was told before. On the loop. */
    abstract void giveUp(String why);

    final Loop loop() {
        return loop;
    }

    final String peer() {
        return peer;
    }

    final boolean hasEnded() {
        return ended;
    }

    /** Ends it when it is not open by then. On the loop. */
    final void expectOpenWithin(Duration deadline) {
        loop.after(deadline, () -> {
            if (!ended && !isOpen()) {
                close("no connection to " + peer + " within " + deadline.toMillis() + " ms");
            }
        });
    }

    private synchronized boolean isOpen() {
        return open;
    }

    final void nowOpen() {
        synchronized (this) {
            open = true;
        }
        call(() -> handler.opened(this));
    }

    final void received(ByteBuffer bytes) {
        call(() -> handler.received(this, bytes));
    }

    @Override
    public final synchronized boolean send(ByteBuffer bytes) {
        if (!open) {
            return false;
        }
        if (queued + bytes.remaining() > queueBytes) {
            refused = true;
            return false;
        }
        if (!bytes.hasRemaining()) {
            return true;
        }
        boolean idle = queue.isEmpty();
        ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
        queued += copy.remaining();
        queue.add(copy);
        if (idle) {
            loop.execute(this::flush);
        }
        return true;
    }

    final synchronized int waiting() {
        return queued;
    }

    /** Copies the first bytes that wait, as many as fit. */
    final synchronized void peek(ByteBuffer to) {
        for (ByteBuffer bytes : queue) {
            int count = Math.min(to.remaining(), bytes.remaining());
            to.put(bytes.slice(bytes.position(), count));
            if (!to.hasRemaining()) {
                return;
            }
        }
    }

    /** Those were sent. */
    final void sent(int count) {
        boolean tell;
        synchronized (this) {
            queued -= count;
            for (int left = count; left > 0; ) {
                ByteBuffer first = queue.element();
                int step = Math.min(left, first.remaining());
                first.position(first.position() + step);
                left -= step;
                if (!first.hasRemaining()) {
                    queue.remove();
                }
            }
            tell = refused && queued <= queueBytes / 2;
            refused = refused && !tell;
        }
        if (tell) {
            call(() -> handler.writable(this));
        }
    }

    @Override
    public final void close(String why) {
        if (loop.onLoop()) {
            closeNow(why);
        } else {
            loop.execute(() -> closeNow(why));
        }
    }

    private void closeNow(String why) {
        if (!ended) {
            giveUp(why);
        }
    }

    /** Tells the handler, once. On the loop. */
    final void ended(String why) {
        if (ended) {
            return;
        }
        ended = true;
        synchronized (this) {
            open = false;
            queue.clear();
            queued = 0;
        }
        loop.ended(this);
        try {
            handler.closed(this, why);
        } catch (RuntimeException e) {
            LOG.warn("the handler of {} failed in closing", peer, e);
        }
    }

    /** A handler may come from anywhere; what it throws costs its connection and no other. */
    private void call(Runnable what) {
        if (ended) {
            return;
        }
        try {
            what.run();
        } catch (RuntimeException e) {
            LOG.warn("the handler of {} failed", peer, e);
            close("its handler failed: " + e);
        }
    }
}
