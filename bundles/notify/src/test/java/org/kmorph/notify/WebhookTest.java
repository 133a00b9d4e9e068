// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a real HTTP server on loopback. */
class WebhookTest {
    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();
    private final List<String> received = new CopyOnWriteArrayList<>();
    private final List<String> authorizations = new CopyOnWriteArrayList<>();

    /** What to answer, one after the other; then 204. */
    private final Queue<Integer> answers = new ArrayDeque<>();

    private HttpServer server;

    @BeforeEach
    void listen() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        received.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization"))
                .ifPresent(authorizations::add);
        Integer status = answers.poll();
        exchange.sendResponseHeaders(status == null ? 204 : status, -1);
        exchange.close();
    }

    private Webhook webhook(Optional<Path> authorization) throws IOException {
        URI address =
                Webhook.Target.address("http://127.0.0.1:" + server.getAddress().getPort() + "/events");
        Webhook.Target target = new Webhook.Target(address, authorization, Duration.ofSeconds(5));
        return new Webhook(target, new Spool(directory.resolve("spool"), 100), time);
    }

    private static Event event(String by) {
        return Event.test(by, Instant.EPOCH);
    }

    private void awaitReceived(int count) {
        await().atMost(Duration.ofSeconds(20)).until(() -> received.size() >= count);
    }

    @Test
    void eventsArriveInOrder() throws Exception {
        try (Webhook webhook = webhook(Optional.empty())) {
            webhook.take(event("a"));
            webhook.take(event("b"));
            awaitReceived(2);
            await().until(() -> webhook.status().delivered() == 2);
            assertThat(webhook.status().waiting()).isZero();
        }
        assertThat(received.get(0)).contains("\"event\":\"test\"", "\"by\":\"a\"");
        assertThat(received.get(1)).contains("\"by\":\"b\"");
    }

    @Test
    void whatIsNotTakenIsTriedAgainWithGrowingWaits() throws Exception {
        answers.addAll(List.of(500, 503, 429, 302));
        try (Webhook webhook = webhook(Optional.empty())) {
            webhook.take(event("a"));
            awaitReceived(5);
            await().until(() -> webhook.status().delivered() == 1);
            assertThat(webhook.status().problem()).isEmpty();
        }
        assertThat(received).hasSize(5).containsOnly(received.get(0));
        assertThat(time.waits)
                .containsExactly(
                        Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(4), Duration.ofSeconds(8));
    }

    @Test
    void whatIsRefusedForGoodIsGivenUpAndTheNextGoesOn() throws Exception {
        answers.add(400);
        try (Webhook webhook = webhook(Optional.empty())) {
            webhook.take(event("a"));
            webhook.take(event("b"));
            awaitReceived(2);
            await().until(() -> webhook.status().delivered() == 1);
            assertThat(webhook.status().failed()).isEqualTo(1);
        }
        assertThat(time.waits).isEmpty();
    }

    @Test
    void aReceiverThatIsNotThereIsWaitedFor() throws Exception {
        int port = server.getAddress().getPort();
        server.stop(0);
        try (Webhook webhook = webhook(Optional.empty())) {
            webhook.take(event("a"));
            await().atMost(Duration.ofSeconds(20)).until(() -> time.waits.size() > 10);
            assertThat(webhook.status().waiting()).isEqualTo(1);
            assertThat(webhook.status().problem())
                    .hasValueSatisfying(text -> assertThat(text).contains("ConnectException"));
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            server.createContext("/", this::answer);
            server.start();
            awaitReceived(1);
        }
        assertThat(time.waits).contains(Duration.ofMinutes(5)).noneMatch(wait -> wait.toMinutes() > 5);
    }

    @Test
    void whatWaitedWhenTheDaemonStoppedIsSentByTheNext() throws Exception {
        new Spool(directory.resolve("spool"), 100).add(event("before").json());
        try (Webhook webhook = webhook(Optional.empty())) {
            awaitReceived(1);
            await().until(() -> webhook.status().delivered() == 1);
        }
        assertThat(received.get(0)).contains("before");
    }

    @Test
    void theAuthorizationIsReadFromAFileThatIsNotForEverybody() throws Exception {
        Path secret = directory.resolve("secret");
        Files.writeString(secret, "Bearer abc\n");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--"));
        try (Webhook webhook = webhook(Optional.of(secret))) {
            webhook.take(event("a"));
            await().until(() -> webhook.status().problem().isPresent());
            assertThat(webhook.status().problem().get()).contains("secret may be read by everybody; chmod o-r it");
            assertThat(received).isEmpty();
            Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
            awaitReceived(1);
        }
        assertThat(authorizations).containsExactly("Bearer abc");
    }

    @Test
    void aSecretThatIsNoHeaderIsRefusedAndNotTold() throws Exception {
        Path secret = directory.resolve("secret");
        Files.write(secret, new byte[] {'s', 'e', 's', 'a', 'm', 'e', 1});
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        try (Webhook webhook = webhook(Optional.of(secret))) {
            webhook.take(event("a"));
            await().until(() -> webhook.status().problem().isPresent());
            assertThat(webhook.status().problem().get())
                    .contains("cannot be the value of a header")
                    .doesNotContain("sesame");
            assertThat(webhook.status().waiting()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://host/", "http:/nothing", "host:80", "not an address"})
    void whatIsNoWebAddressIsNamed(String text) {
        assertThatThrownBy(() -> Webhook.Target.address(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(text);
    }
}
