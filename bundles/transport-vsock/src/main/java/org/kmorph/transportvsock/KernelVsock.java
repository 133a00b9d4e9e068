// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.nativeos.Descriptors;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.VsockSockets;
import org.kmorph.nativeos.VsockSockets.Address;

/**
 * What this machine's own kernel reaches over AF_VSOCK. Where it has no transport towards instances, it would pass a connection on to the
 * machine that it itself runs on, so then nothing is asked of it.
 */
final class KernelVsock {
    private static final int BUFFER_BYTES = 64 << 10;

    /** The modules whose transports lead from a host to its instances. */
    private static final List<String> HOST_MODULES = List.of("kerf_vsock", "vhost_vsock");

    private static final String FORBIDDEN = "af.vsock=false in etc/org.kmorph.transport-vsock.cfg";

    private final Loop loop;
    private final VsockSockets sockets;
    private final Descriptors descriptors;
    private final boolean allowed;
    private final int queueBytes;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

    KernelVsock(Loop loop, VsockSockets sockets, Descriptors descriptors, boolean allowed, int queueBytes) {
        this.loop = loop;
        this.sockets = sockets;
        this.descriptors = descriptors;
        this.allowed = allowed;
        this.queueBytes = queueBytes;
    }

    /** Whether the kernel has a transport that leads to that context id. */
    boolean leadsTo(long cid) {
        if (!allowed) {
            return false;
        }
        if (cid == VsockSockets.LOCAL_CID) {
            return Files.exists(Path.of("/sys/module/vsock_loopback"));
        }
        try {
            return cid > VsockSockets.HOST_CID
                    && (sockets.localCid().orElse(0) == VsockSockets.HOST_CID
                            || HOST_MODULES.stream().anyMatch(name -> Files.exists(Path.of("/sys/module", name))));
        } catch (IOException e) {
            return false;
        }
    }

    SocketConnection connection(Address peer, ConnectionHandler handler) {
        return new SocketConnection(loop, sockets, descriptors, peer, handler, queueBytes, buffer);
    }

    /**
     * Listens, from any thread.
     *
     * @param others whether others than the kernel take connections there, so that it is no error when the kernel cannot
     */
    Optional<SocketListener> listen(Address at, boolean others, BiConsumer<Integer, Address> taken) throws IOException {
        if (!allowed) {
            if (others) {
                return Optional.empty();
            }
            throw new IOException("context id " + at.cid() + " is the kernel's, and " + FORBIDDEN);
        }
        try {
            return Optional.of(new SocketListener(loop, sockets, descriptors, at, taken));
        } catch (ErrnoException e) {
            if (others && (e.is(Errno.EAFNOSUPPORT) || e.is(Errno.EADDRNOTAVAIL))) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** A connection that was taken is not wanted. */
    void refuse(int fd) {
        descriptors.close(fd);
    }

    /** Connects, or says why that is not tried. On the loop. */
    void connect(SocketConnection made, Duration deadline) {
        long cid = made.address().cid();
        if (leadsTo(cid)) {
            made.connect(deadline);
        } else {
            made.close(whyNot(cid));
        }
    }

    /** Why a context id cannot be reached that neither a link nor the kernel leads to. */
    String whyNot(long cid) {
        return "nothing leads to context id " + cid + ": no host has registered a link to it, and "
                + (allowed ? "this machine's kernel has no vsock transport to instances" : FORBIDDEN);
    }
}
