// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/** Ways to instances: sessions by the KMP client, probes by their transport. */
final class Routes implements WatchSurroundings.Sessions {
    private final KmpClient client;
    private final Supplier<List<Transport>> transports;

    Routes(KmpClient client, Supplier<List<Transport>> transports) {
        this.client = client;
        this.transports = transports;
    }

    @Override
    public KmpSession open(Instance instance, SessionListener listener) {
        return client.open(endpoint(instance), instance.id(), listener);
    }

    @Override
    public CompletableFuture<Reach> probe(Instance instance, Duration deadline) {
        Endpoint peer = endpoint(instance);
        Optional<Transport> transport = transports.get().stream()
                .filter(one -> one.scheme().equals(peer.scheme()))
                .findFirst();
        return transport
                .map(one -> one.probe(peer, deadline))
                .orElseGet(() -> CompletableFuture.failedFuture(
                        new IllegalStateException("no transport for " + peer.scheme() + " is installed")));
    }

    /** Of an instance that runs, which has one. */
    static Endpoint endpoint(Instance instance) {
        return instance.endpoint()
                .orElseThrow(() -> new IllegalStateException("instance " + instance.name() + " has no endpoint"));
    }
}
