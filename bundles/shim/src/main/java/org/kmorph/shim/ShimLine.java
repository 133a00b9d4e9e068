// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shim;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/** A connection to a shim, by lines. What it hears is told on the transport's event loop. */
final class ShimLine implements ConnectionHandler {
    /** No shim says more in one line; what does is none. */
    private static final int MAX_LINE = 256;

    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Optional<String> request;
    private final Consumer<String> heard;
    private final Consumer<String> closed;

    private ShimLine(Optional<String> request, Consumer<String> heard, Consumer<String> closed) {
        this.request = request;
        this.heard = heard;
        this.closed = closed;
    }

    /**
     * @param request what to ask once it is open; how the kernel stands is told unasked
     * @param closed told once, with the reason; also when there was no connection
     */
    static Connection open(
            Transport transport,
            Endpoint socket,
            Duration deadline,
            Optional<String> request,
            Consumer<String> heard,
            Consumer<String> closed) {
        return transport.connect(socket, deadline, new ShimLine(request, heard, closed));
    }

    @Override
    public void opened(Connection connection) {
        request.ifPresent(line -> connection.send(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII))));
    }

    @Override
    public void received(Connection connection, ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            byte next = bytes.get();
            if (next == '\n') {
                String whole = line.toString(StandardCharsets.US_ASCII);
                line.reset();
                heard.accept(whole);
            } else if (line.size() == MAX_LINE) {
                connection.close("what listens there is no shim: a line of over " + MAX_LINE + " bytes came");
                return;
            } else {
                line.write(next);
            }
        }
    }

    @Override
    public void writable(Connection connection) {
        // requests are a few bytes; the queue takes them
    }

    @Override
    public void closed(Connection connection, String why) {
        closed.accept(why);
    }
}
