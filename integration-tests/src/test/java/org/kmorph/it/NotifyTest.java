// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.jr.ob.JSON;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** An instance that fails and is healed, as a hook program and a web service hear of it. */
class NotifyTest {
    private final List<Map<String, Object>> posted = new CopyOnWriteArrayList<>();

    @Test
    void hookAndWebhookHearOfAFailureAndItsRecovery() throws Exception {
        HttpServer server = server(0);
        int port = server.getAddress().getPort();
        try (Kmorph kmorph = Kmorph.unpack()) {
            kmorph.configure("org.kmorph.notify.cfg", "webhook.url = http://127.0.0.1:" + port + "/kmorph");
            Path told = kmorph.home().resolve("told");
            hook(kmorph, "cat >>'" + told + "'; echo >>'" + told + "'");
            kmorph.start();
            LocalInstances instances = new LocalInstances(kmorph);
            instances.spawn("web").ok();
            instances.awaitHealth("web", "HEALTHY");
            int id = (int) instances.status("web").get("id");

            server.stop(0);
            LocalInstances.signal("KILL", instances.agent(id));
            await(() -> read(told).stream().anyMatch(NotifyTest::isRecovered));
            await(() -> waiting(kmorph) > 0);
            kmorph.ctl("daemon", "stop").ok();

            server = server(port);
            kmorph.start();
            await(() -> posted.stream().anyMatch(NotifyTest::isRecovered));
            assertThat(read(told)).anyMatch(is("health", "health", "FAILED"));
            assertThat(posted).anyMatch(is("health", "health", "FAILED"));
            // one that was not heard to be taken comes again
            assertThat(posted.stream()
                            .filter(event -> "recovery".equals(event.get("event")))
                            .map(event -> event.get("state"))
                            .distinct())
                    .containsExactly(
                            "PREPARING_RECOVERY",
                            "FENCING",
                            "RECLAIMING_RESOURCES",
                            "RESTORING_WORK",
                            "RECOVERY_COMPLETE");
            kmorph.ctl("terminate", "web", "--force").ok();
        } finally {
            server.stop(0);
        }
    }

    private HttpServer server(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.createContext("/kmorph", this::take);
        server.start();
        return server;
    }

    private void take(HttpExchange exchange) throws IOException {
        posted.add(JSON.std.mapFrom(exchange.getRequestBody().readAllBytes()));
        exchange.sendResponseHeaders(204, -1);
        exchange.close();
    }

    private static void hook(Kmorph kmorph, String body) throws IOException {
        Path directory = Files.createDirectories(kmorph.home().resolve("etc/hooks.d"));
        Path hook = Files.writeString(directory.resolve("10-tell"), "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(hook, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static List<Map<String, Object>> read(Path told) throws IOException {
        return Files.exists(told)
                ? Files.readAllLines(told).stream().map(NotifyTest::parse).toList()
                : List.of();
    }

    /** What is being written this moment is no event yet. */
    private static Map<String, Object> parse(String line) {
        try {
            return JSON.std.mapFrom(line);
        } catch (IOException e) {
            return Map.of();
        }
    }

    private static int waiting(Kmorph kmorph) {
        return kmorph.ctl("notify", "status", "-o", "json").ok().jsonRows().stream()
                .filter(row -> row.get("outlet").equals("webhook"))
                .mapToInt(row -> (int) row.get("waiting"))
                .sum();
    }

    private static boolean isRecovered(Map<String, Object> event) {
        return is("recovery", "state", "RECOVERY_COMPLETE").test(event)
                && event.get("instance").equals("web")
                && event.containsKey("steps");
    }

    private static Predicate<Map<String, Object>> is(String kind, String field, String value) {
        return event -> kind.equals(event.get("event")) && value.equals(event.get(field));
    }

    private static void await(java.util.concurrent.Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(50))
                .until(condition);
    }
}
