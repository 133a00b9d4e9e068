// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.kmorph.api.transport.Transport.Reach;

/** The probe of a transport that can tell no more than whether a connection comes about. */
final class Probe implements ConnectionHandler {
    private final CompletableFuture<Reach> reach = new CompletableFuture<>();

    private Probe() {}

    static CompletableFuture<Reach> byConnecting(Transport transport, Endpoint peer, Duration deadline) {
        Probe probe = new Probe();
        transport.connect(peer, deadline, probe);
        return probe.reach;
    }

    @Override
    public void opened(Connection connection) {
        reach.complete(Reach.ANSWERS);
        connection.close("it answers");
    }

    @Override
    public void received(Connection connection, ByteBuffer bytes) {
        // nothing was asked
    }

    @Override
    public void writable(Connection connection) {
        // nothing is sent
    }

    @Override
    public void closed(Connection connection, String why) {
        reach.complete(Reach.SILENT);
    }
}
