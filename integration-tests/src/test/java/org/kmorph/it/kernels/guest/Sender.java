// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels.guest;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;

/** Sends so many bytes to an echo, as fast as they are taken, and looks at each that comes back. */
final class Sender implements ConnectionHandler {
    private static final int PIECE = 210_000;
    private static final long PATIENCE_S = 60;

    /** A prime: no power of two hides a displacement. */
    private static final int PERIOD = 251;

    private final long total;
    private final CompletableFuture<Void> whole = new CompletableFuture<>();
    private final CompletableFuture<String> closed = new CompletableFuture<>();
    private long sent;
    private long back;
    private int refusals;

    Sender(long total) {
        this.total = total;
    }

    @Override
    public void opened(Connection connection) {
        send(connection);
    }

    private void send(Connection connection) {
        while (sent < total) {
            ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE, total - sent));
            for (long at = sent; piece.hasRemaining(); at++) {
                piece.put((byte) (at % PERIOD));
            }
            if (!connection.send(piece.flip())) {
                refusals++;
                return;
            }
            sent += piece.limit();
        }
    }

    @Override
    public void received(Connection connection, ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            if (bytes.get() != (byte) (back % PERIOD)) {
                connection.close("byte " + back + " is wrong");
                return;
            }
            back++;
        }
        if (back == total) {
            whole.complete(null);
        }
    }

    @Override
    public void writable(Connection connection) {
        send(connection);
    }

    @Override
    public void closed(Connection connection, String why) {
        whole.completeExceptionally(new IllegalStateException("closed after " + back + " of " + total + ": " + why));
        closed.complete(why);
    }

    /** Until all is back. */
    void await() throws Exception {
        whole.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    /** Until it is closed. @return why */
    String end() throws Exception {
        return closed.get(PATIENCE_S, TimeUnit.SECONDS);
    }

    /** How often the transport had no room. */
    int refusals() {
        return refusals;
    }
}
