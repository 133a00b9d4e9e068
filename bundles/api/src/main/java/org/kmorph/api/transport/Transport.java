// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Byte streams to kernels of one scheme. Register it as a service. It runs one event loop for all its connections: handlers are
 * called on it, one at a time for each connection, and must not block.
 */
@ProviderType
public interface Transport {
    /** The scheme of the endpoints that it reaches. */
    String scheme();

    /**
     * Begins to connect, and returns at once. Thread-safe.
     *
     * @param deadline how long until it is given up, reported as {@link ConnectionHandler#closed}; a transport that has stopped reports that
     *     at once
     */
    Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler);

    /**
     * Listens at an endpoint of this machine. Returns when peers can connect. Thread-safe.
     *
     * @param at the address, as peers of this machine call it
     * @param handlers called on the event loop for each connection that a peer has made, with the peer's endpoint, or the own one where
     *     peers have none: gives what handles it. More connections than the transport may have are refused without asking it
     * @throws IOException when it cannot listen there; names the endpoint, and why
     */
    default Listener listen(Endpoint at, Function<Endpoint, ConnectionHandler> handlers) throws IOException {
        throw new IOException("cannot listen at " + at + ": the transport of this scheme only connects");
    }

    /**
     * Asks the kernel below an endpoint whether it lives, without user space of its own having a part in it. Begins, and returns at once.
     *
     * <p>Where a kernel answers for a program that is gone (a refusal over vsock) that is {@link Reach#ANSWERS} too. The kernel below a
     * Unix socket is this machine's: there a refusal means that the process is gone.
     *
     * @return fails when the transport cannot ask, or stops before it has an answer: nothing is known of the kernel then
     */
    default CompletableFuture<Reach> probe(Endpoint peer, Duration deadline) {
        return Probe.byConnecting(this, peer, deadline);
    }

    /** What a probe has found. */
    enum Reach {
        /** The kernel lives. */
        ANSWERS,
        /** There is none there any more. */
        GONE,
        /** Nothing was heard within the deadline. */
        SILENT
    }
}
