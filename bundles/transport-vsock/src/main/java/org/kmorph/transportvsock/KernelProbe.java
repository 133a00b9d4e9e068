// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Transport.Reach;

/**
 * Asks by connecting over AF_VSOCK: a refusal comes from the peer's kernel, and says that it lives.
 *
 * @param asking whether the transport is at work: one that stops did not wait, and cannot say that there was silence
 */
record KernelProbe(CompletableFuture<Reach> answer, BooleanSupplier asking) implements ConnectionHandler {
    @Override
    public void opened(Connection connection) {
        answer.complete(Reach.ANSWERS);
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
        SocketConnection socket = (SocketConnection) connection;
        if (socket.refused()) {
            answer.complete(Reach.ANSWERS);
        } else if (socket.asked() && asking.getAsBoolean()) {
            answer.complete(Reach.SILENT);
        } else {
            answer.completeExceptionally(new IOException(why));
        }
    }
}
