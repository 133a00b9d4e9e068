// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/** A transport that knows without asking how a kernel is. */
final class OpinionatedTransport implements Transport {
    private final Transport transport;
    private final Reach answer;

    OpinionatedTransport(Transport transport, Reach answer) {
        this.transport = transport;
        this.answer = answer;
    }

    @Override
    public String scheme() {
        return transport.scheme();
    }

    @Override
    public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
        return transport.connect(peer, deadline, handler);
    }

    @Override
    public CompletableFuture<Reach> probe(Endpoint peer, Duration deadline) {
        return CompletableFuture.completedFuture(answer);
    }
}
