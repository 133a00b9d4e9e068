// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;

/**
 * A connection to QEMU's monitor, by QMP (docs/interop/qmp-spec of QEMU): JSON objects, a line each. It leaves the negotiation at once;
 * what it hears is told on the transport's event loop.
 */
final class QmpLine implements ConnectionHandler {
    /** QEMU's answers to what is asked here have a few hundred bytes; events carry a text of the guest's at most. */
    private static final int MOST_BYTES = 64 << 10;

    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final String command;
    private final Map<String, Object> arguments;
    private final BiConsumer<Connection, Map<String, Object>> heard;
    private final Consumer<String> closed;

    /**
     * @param command what to ask, once it is open: its name, which is the answer's {@code id}
     * @param arguments of the command
     * @param heard told of each object that comes, the greeting and the answers as well as events
     * @param closed told once, with the reason; also when there was no connection
     */
    QmpLine(
            String command,
            Map<String, Object> arguments,
            BiConsumer<Connection, Map<String, Object>> heard,
            Consumer<String> closed) {
        this.command = command;
        this.arguments = Map.copyOf(arguments);
        this.heard = heard;
        this.closed = closed;
    }

    @Override
    public void opened(Connection connection) {
        ask(connection, "qmp_capabilities", Map.of());
        ask(connection, command, arguments);
    }

    /** Asks on a connection that is open; the answer's {@code id} is the command. */
    static void ask(Connection connection, String command, Map<String, Object> arguments) {
        try {
            String line = JSON.std.asString(Map.of("execute", command, "id", command, "arguments", arguments)) + "\n";
            connection.send(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void received(Connection connection, ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            byte next = bytes.get();
            if (next == '\n') {
                String whole = line.toString(StandardCharsets.UTF_8);
                line.reset();
                try {
                    heard.accept(connection, JSON.std.mapFrom(whole));
                } catch (IOException e) {
                    connection.close("what listens there is no QEMU: " + e.getMessage());
                    return;
                }
            } else if (line.size() == MOST_BYTES) {
                connection.close("what listens there is no QEMU: a line of over " + MOST_BYTES + " bytes came");
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
