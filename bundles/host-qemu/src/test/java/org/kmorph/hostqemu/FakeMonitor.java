// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/** A QEMU's monitor, in the calling thread: answers what it was told to, by the command's name, and is silent on all else. */
final class FakeMonitor implements Transport {
    private final Map<String, UnaryOperator<Map<String, Object>>> answers = new HashMap<>();
    private final List<Map<String, Object>> asked = new ArrayList<>();
    private final List<Endpoint> endpoints = new ArrayList<>();
    private final List<Line> open = new ArrayList<>();
    private boolean listening = true;

    /** @param returned of a command's arguments: what it returns; may throw {@link IllegalStateException}, which is an error of QEMU's */
    FakeMonitor answers(String command, UnaryOperator<Map<String, Object>> returned) {
        answers.put(command, returned);
        return this;
    }

    FakeMonitor doesNotListen() {
        listening = false;
        return this;
    }

    /** The commands that came, without the negotiation. */
    List<Object> commands() {
        return asked.stream().map(each -> each.get("execute")).toList();
    }

    @SuppressWarnings("unchecked")
    Map<String, Object> argumentsOf(String command) {
        return asked.stream()
                .filter(each -> command.equals(each.get("execute")))
                .map(each -> (Map<String, Object>) each.get("arguments"))
                .findFirst()
                .orElseThrow();
    }

    List<Endpoint> endpoints() {
        return endpoints;
    }

    int connections() {
        return open.size();
    }

    /** Says something unasked, to all who are connected. */
    void says(String line) {
        List.copyOf(open)
                .forEach(each ->
                        each.handler.received(each, ByteBuffer.wrap((line + "\r\n").getBytes(StandardCharsets.UTF_8))));
    }

    void hangsUp() {
        List.copyOf(open).forEach(each -> each.close("QEMU ended"));
    }

    @Override
    public String scheme() {
        return "unix";
    }

    @Override
    public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
        endpoints.add(peer);
        Line made = new Line(handler);
        if (listening) {
            open.add(made);
            handler.opened(made);
        } else {
            handler.closed(made, "nobody listens");
        }
        return made;
    }

    private void ask(Line from, String text) {
        try {
            Map<String, Object> command = JSON.std.mapFrom(text);
            if ("qmp_capabilities".equals(command.get("execute"))) {
                says("{\"return\": {}}");
                return;
            }
            asked.add(command);
            Optional<UnaryOperator<Map<String, Object>>> answer =
                    Optional.ofNullable(answers.get(String.valueOf(command.get("execute"))));
            if (answer.isPresent()) {
                says(JSON.std.asString(answered(command, answer.get())));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("not JSON: " + text, e);
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> answered(
            Map<String, Object> command, UnaryOperator<Map<String, Object>> answer) {
        Object id = command.get("id");
        try {
            return Map.of("id", id, "return", answer.apply((Map<String, Object>) command.get("arguments")));
        } catch (IllegalStateException e) {
            return Map.of("id", id, "error", Map.of("class", "GenericError", "desc", e.getMessage()));
        }
    }

    private final class Line implements Connection {
        private final ConnectionHandler handler;

        Line(ConnectionHandler handler) {
            this.handler = handler;
        }

        @Override
        public boolean send(ByteBuffer bytes) {
            StandardCharsets.UTF_8.decode(bytes).toString().lines().forEach(line -> ask(this, line));
            return true;
        }

        @Override
        public void close(String why) {
            if (open.remove(this)) {
                handler.closed(this, why);
            }
        }
    }
}
