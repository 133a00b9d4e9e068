// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.nativeos.Descriptors;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.VsockSockets;
import org.kmorph.nativeos.VsockSockets.Address;

/** A stream socket of AF_VSOCK: this machine's kernel reaches the peer by a transport of its own. */
final class SocketConnection extends QueuedConnection {
    private static final int NONE = -1;

    private final VsockSockets sockets;
    private final Descriptors descriptors;
    private final Address address;
    private final ByteBuffer buffer;
    private int fd = NONE;
    private boolean connected;
    private boolean asked;
    private boolean refused;

    /** @param buffer direct, and shared by all of the loop */
    SocketConnection(
            Loop loop,
            VsockSockets sockets,
            Descriptors descriptors,
            Address address,
            ConnectionHandler handler,
            int queueBytes,
            ByteBuffer buffer) {
        super(loop, "vsock:" + address.cid() + ":" + address.port(), handler, queueBytes);
        this.sockets = sockets;
        this.descriptors = descriptors;
        this.address = address;
        this.buffer = buffer;
    }

    Address address() {
        return address;
    }

    /** Whether the peer was asked for a connection: this machine had a descriptor for it. */
    boolean asked() {
        return asked;
    }

    /** Whether the peer's kernel has answered that nobody listens. */
    boolean refused() {
        return refused;
    }

    /** Begins to connect. On the loop. */
    void connect(Duration deadline) {
        if (hasEnded()) {
            return;
        }
        expectOpenWithin(deadline);
        try {
            fd = sockets.open();
            asked = true;
            boolean now = sockets.connect(fd, address.cid(), address.port());
            loop().watch(fd, now, !now, this::ready);
            if (now) {
                opened();
            }
        } catch (IOException e) {
            giveUp("cannot connect to " + peer() + ": " + e.getMessage());
        }
    }

    /** Takes a socket that is connected: a peer has made it. On the loop. */
    void take(int taken) {
        fd = taken;
        try {
            loop().watch(fd, true, false, this::ready);
            opened();
        } catch (ErrnoException e) {
            giveUp(peer() + ": " + e.getMessage());
        }
    }

    private void opened() {
        connected = true;
        nowOpen();
    }

    private void ready(boolean readable, boolean writable) {
        try {
            if (!connected) {
                finishConnect();
                loop().watch(fd, true, false, this::ready);
                opened();
                return;
            }
            if (writable) {
                write();
            }
            if (readable && fd != NONE) {
                read();
            }
        } catch (IOException e) {
            giveUp(peer() + ": " + e.getMessage());
        }
    }

    private void finishConnect() throws ErrnoException {
        try {
            sockets.finishConnect(fd);
        } catch (ErrnoException e) {
            // vsock(7): ECONNRESET is a refusal, which takes a kernel to say
            refused = e.is(Errno.ECONNRESET) || e.is(Errno.ECONNREFUSED);
            throw e;
        }
    }

    private void read() throws IOException {
        buffer.clear();
        long count = sockets.read(fd, List.of(buffer));
        if (count < 0) {
            sockets.checkError(fd);
            giveUp(peer() + " closed the connection");
        } else if (count > 0) {
            received(buffer.flip());
        }
    }

    private void write() throws IOException {
        while (fd != NONE && waiting() > 0) {
            buffer.clear();
            peek(buffer);
            int count = (int) sockets.write(fd, List.of(buffer.flip()));
            if (count == 0) {
                loop().watch(fd, true, true, this::ready);
                return;
            }
            sent(count);
        }
        if (fd != NONE) {
            loop().watch(fd, true, false, this::ready);
        }
    }

    @Override
    void flush() {
        if (connected && fd != NONE) {
            try {
                write();
            } catch (IOException e) {
                giveUp(peer() + ": " + e.getMessage());
            }
        }
    }

    @Override
    void giveUp(String why) {
        if (fd != NONE) {
            loop().forget(fd);
            descriptors.close(fd);
            fd = NONE;
        }
        ended(why);
    }
}
