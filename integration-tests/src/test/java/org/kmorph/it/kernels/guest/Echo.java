// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels.guest;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;

/** Sends back what comes, and keeps what the transport does not take yet. */
final class Echo implements ConnectionHandler {
    private final Deque<ByteBuffer> waiting = new ArrayDeque<>();

    @Override
    public void opened(Connection connection) {
        // the peer begins
    }

    @Override
    public void received(Connection connection, ByteBuffer bytes) {
        waiting.add(ByteBuffer.allocate(bytes.remaining()).put(bytes).flip());
        send(connection);
    }

    @Override
    public void writable(Connection connection) {
        send(connection);
    }

    private void send(Connection connection) {
        while (!waiting.isEmpty() && connection.send(waiting.element())) {
            waiting.remove();
        }
    }

    @Override
    public void closed(Connection connection, String why) {
        waiting.clear();
    }
}
