// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;

/** Writes down what happens on a connection. Its end is told under its lock, which whoever connects may hold. */
final class Events implements ConnectionHandler {
    private static final long PATIENCE_S = 10;

    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    @Override
    public void opened(Connection connection) {
        events.add("opened");
    }

    @Override
    public void received(Connection connection, ByteBuffer bytes) {
        events.add("received " + StandardCharsets.US_ASCII.decode(bytes));
    }

    @Override
    public void writable(Connection connection) {
        events.add("writable");
    }

    @Override
    public synchronized void closed(Connection connection, String why) {
        events.add("closed: " + why);
    }

    String next() throws InterruptedException {
        String event = events.poll(PATIENCE_S, TimeUnit.SECONDS);
        if (event == null) {
            throw new AssertionError("nothing happened within " + PATIENCE_S + " s");
        }
        return event;
    }
}
