// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportlocal;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection. {@link #send} and {@link #close} may be called from any thread; all else happens on the loop's. Writing, and the queue
 * of bytes that wait for the peer, are guarded by its lock. Senders do not write for themselves, though that would save waking the loop:
 * what a timer sends to many goes out in one turn of the loop, and so their answers come in few. Only what is sent on the loop's own
 * thread, in answer to what has just come, goes out at once.
 */
final class UnixConnection implements Connection {
    private static final Logger LOG = LoggerFactory.getLogger(UnixConnection.class);

    private final EventLoop loop;
    private final String path;
    private final ConnectionHandler handler;
    private final int queueBytes;
    private final Deque<ByteBuffer> queue = new ArrayDeque<>();
    private int queued;
    private boolean refused;
    private boolean open;
    private Optional<SocketChannel> channel = Optional.empty();
    private Optional<SelectionKey> key = Optional.empty();
    private boolean ended;

    UnixConnection(EventLoop loop, String path, ConnectionHandler handler, int queueBytes) {
        this.loop = loop;
        this.path = path;
        this.handler = handler;
        this.queueBytes = queueBytes;
    }

    /** Begins to connect. A Unix socket connects at once, or its listener's backlog is full and it never will. */
    void open(Selector selector) {
        if (ended) {
            return;
        }
        try {
            SocketChannel made = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel = Optional.of(made);
            made.configureBlocking(false);
            boolean connected = made.connect(UnixDomainSocketAddress.of(path));
            key = Optional.of(
                    made.register(selector, connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, this));
            if (connected) {
                nowOpen();
            }
        } catch (IOException | IllegalArgumentException e) {
            end("cannot connect to " + path + ": " + e.getMessage());
        }
    }

    /** The deadline for connecting has come. */
    void expire(Duration deadline) {
        if (isConnecting()) {
            end("no connection to " + path + " within " + deadline.toMillis() + " ms");
        }
    }

    /** Whether it is neither open nor at its end. On the loop. */
    synchronized boolean isConnecting() {
        return !open && !ended;
    }

    private void nowOpen() {
        synchronized (this) {
            open = true;
        }
        call(() -> handler.opened(this));
    }

    void ready(SelectionKey ready) {
        if (!ready.isValid()) {
            // a handler of one that was ready in the same turn closed this one
            return;
        }
        try {
            SocketChannel socket = (SocketChannel) ready.channel();
            if (ready.isConnectable() && socket.finishConnect()) {
                ready.interestOps(SelectionKey.OP_READ);
                nowOpen();
                return;
            }
            if (ready.isWritable()) {
                write(socket, ready);
            }
            if (ready.isValid() && ready.isReadable()) {
                read(socket);
            }
        } catch (IOException e) {
            end(path + ": " + e.getMessage());
        }
    }

    private void read(SocketChannel socket) throws IOException {
        ByteBuffer buffer = loop.readBuffer();
        int count = socket.read(buffer);
        if (count < 0) {
            end(path + " closed the connection");
        } else if (count > 0) {
            buffer.flip();
            call(() -> handler.received(this, buffer));
        }
    }

    private void write(SocketChannel socket, SelectionKey ready) throws IOException {
        boolean tell;
        synchronized (this) {
            while (!queue.isEmpty()) {
                ByteBuffer first = queue.peek();
                queued -= socket.write(first);
                if (first.hasRemaining()) {
                    break;
                }
                queue.remove();
            }
            if (queue.isEmpty() && ready.interestOps() != SelectionKey.OP_READ) {
                ready.interestOps(SelectionKey.OP_READ);
            }
            tell = refused && queued <= queueBytes / 2;
            refused = refused && !tell;
        }
        if (tell) {
            call(() -> handler.writable(this));
        }
    }

    @Override
    public synchronized boolean send(ByteBuffer bytes) {
        if (!open) {
            return false;
        }
        if (queued + bytes.remaining() > queueBytes) {
            refused = true;
            return false;
        }
        boolean idle = queue.isEmpty();
        ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
        queued += copy.remaining();
        queue.add(copy);
        if (idle && !(loop.onLoop() && isWritten(copy))) {
            loop.execute(this::flush);
        }
        return true;
    }

    /** Whether the one that waits is out. The caller may hold locks: what else becomes of it, the loop finds out in its turn. Locked. */
    private boolean isWritten(ByteBuffer only) {
        try {
            queued -= channel.isPresent() ? channel.get().write(only) : 0;
        } catch (IOException e) {
            LOG.debug("writing to {}", path, e);
        }
        if (only.hasRemaining()) {
            return false;
        }
        queue.remove();
        return true;
    }

    /** Writes at once what can be, on the loop; the selector tells when the rest can. */
    private void flush() {
        if (ended || key.isEmpty() || !key.get().isValid()) {
            return;
        }
        try {
            SelectionKey own = key.get();
            write((SocketChannel) own.channel(), own);
            synchronized (this) {
                if (!queue.isEmpty() && own.isValid()) {
                    own.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                }
            }
        } catch (IOException e) {
            end(path + ": " + e.getMessage());
        }
    }

    @Override
    public void close(String why) {
        if (loop.onLoop()) {
            end(why);
        } else {
            loop.execute(() -> end(why));
        }
    }

    /** Ends it, once, and tells the handler. On the loop. */
    void end(String why) {
        if (ended) {
            return;
        }
        ended = true;
        synchronized (this) {
            open = false;
            queue.clear();
            queued = 0;
        }
        key.ifPresent(SelectionKey::cancel);
        channel.ifPresent(socket -> {
            try {
                socket.close();
            } catch (IOException e) {
                LOG.debug("closing {}", path, e);
            }
        });
        loop.forget();
        try {
            handler.closed(this, why);
        } catch (RuntimeException e) {
            LOG.warn("the handler of {} failed in closing", path, e);
        }
    }

    /** A handler may come from anywhere; what it throws costs its connection and no other. */
    private void call(Runnable what) {
        try {
            what.run();
        } catch (RuntimeException e) {
            LOG.warn("the handler of {} failed", path, e);
            end("its handler failed: " + e);
        }
    }
}
