// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.kmorph.nativeos.Descriptors;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.VsockSockets;
import org.kmorph.nativeos.VsockSockets.Accepted;
import org.kmorph.nativeos.VsockSockets.Address;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A listening socket of AF_VSOCK on the loop. */
final class SocketListener {
    private static final Logger LOG = LoggerFactory.getLogger(SocketListener.class);

    private static final int BACKLOG = 128;

    /** When a connection cannot be taken, as for want of descriptors, it waits; so long, the loop does without it. */
    private static final Duration PAUSE = Duration.ofMillis(100);

    private final Loop loop;
    private final VsockSockets sockets;
    private final Descriptors descriptors;
    private final BiConsumer<Integer, Address> taken;
    private final int fd;
    private boolean closed;

    /**
     * Listens at once; connections are taken from {@link #start} on.
     *
     * @param taken given the descriptor of each connection, and its other end, on the loop
     */
    SocketListener(
            Loop loop, VsockSockets sockets, Descriptors descriptors, Address at, BiConsumer<Integer, Address> taken)
            throws ErrnoException {
        this.loop = loop;
        this.sockets = sockets;
        this.descriptors = descriptors;
        this.taken = taken;
        fd = sockets.open();
        try {
            sockets.bind(fd, at.cid(), at.port());
            sockets.listen(fd, BACKLOG);
        } catch (ErrnoException e) {
            descriptors.close(fd);
            throw e;
        }
    }

    /** On the loop. */
    void start() {
        if (closed) {
            return;
        }
        if (!loop.accepting()) {
            close();
            return;
        }
        try {
            loop.watch(fd, true, false, (readable, writable) -> take());
        } catch (ErrnoException e) {
            LOG.error("connections over AF_VSOCK cannot be waited for", e);
        }
    }

    private void take() {
        try {
            for (Optional<Accepted> next = sockets.accept(fd);
                    next.isPresent();
                    next = closed ? Optional.empty() : sockets.accept(fd)) {
                taken.accept(next.get().fd(), next.get().peer());
            }
        } catch (ErrnoException e) {
            LOG.warn("a connection over AF_VSOCK was not taken: {}", e.getMessage());
            loop.forget(fd);
            loop.after(PAUSE, this::start);
        }
    }

    /** On the loop. Idempotent. */
    void close() {
        if (!closed) {
            closed = true;
            loop.forget(fd);
            descriptors.close(fd);
        }
    }
}
