// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportlocal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;

class UnixTransportTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int QUEUE_BYTES = 1 << 20;

    @TempDir
    Path directory;

    private EventLoop loop;

    @BeforeEach
    void start() throws IOException {
        loop = new EventLoop(100, QUEUE_BYTES);
        loop.start();
    }

    @AfterEach
    void stop() throws InterruptedException {
        loop.stop();
    }

    /** Writes down what happens. */
    private static final class Events implements ConnectionHandler {
        private final BlockingQueue<String> events = new ArrayBlockingQueue<>(100_000);

        @Override
        public void opened(Connection connection) {
            events.add("opened");
        }

        @Override
        public void received(Connection connection, ByteBuffer bytes) {
            byte[] text = new byte[bytes.remaining()];
            bytes.get(text);
            events.add("received " + new String(text, java.nio.charset.StandardCharsets.US_ASCII));
        }

        @Override
        public void writable(Connection connection) {
            events.add("writable");
        }

        @Override
        public void closed(Connection connection, String why) {
            events.add("closed: " + why);
        }

        String next() throws InterruptedException {
            String event = events.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(event).as("an event").isNotNull();
            return event;
        }
    }

    private ServerSocketChannel listen(String name) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(directory.resolve(name)));
        return server;
    }

    private Connection connect(String name, Events events) {
        return loop.connect(directory.resolve(name).toString(), PATIENCE, events);
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }

    @Test
    void bytesGoBothWaysAndTheEndIsTold() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            Events events = new Events();
            Connection connection = connect("peer", events);
            assertThat(events.next()).isEqualTo("opened");
            try (SocketChannel peer = server.accept()) {
                assertThat(connection.send(ascii("ping"))).isTrue();
                ByteBuffer got = ByteBuffer.allocate(4);
                while (got.hasRemaining()) {
                    peer.read(got);
                }
                assertThat(got.flip()).isEqualTo(ascii("ping"));
                peer.write(ascii("pong"));
                assertThat(events.next()).isEqualTo("received pong");
            }
            assertThat(events.next()).startsWith("closed: ").endsWith("closed the connection");
            assertThat(connection.send(ascii("x"))).isFalse();
        }
    }

    @Test
    void nobodyListeningIsSaid() throws Exception {
        Events events = new Events();
        connect("nobody", events);
        assertThat(events.next()).startsWith("closed: cannot connect to ").contains("nobody");
    }

    @Test
    void aPeerThatDoesNotReadFillsItsOwnQueueAlone() throws Exception {
        try (ServerSocketChannel server = listen("stuck");
                ServerSocketChannel other = listen("other")) {
            Events stuck = new Events();
            Connection toStuck = connect("stuck", stuck);
            assertThat(stuck.next()).isEqualTo("opened");
            SocketChannel silent = server.accept();
            ByteBuffer block = ByteBuffer.allocate(100_000);
            int taken = 0;
            while (toStuck.send(block.clear())) {
                taken += block.capacity();
                assertThat(taken).isLessThan(QUEUE_BYTES * 8);
            }
            Events fine = new Events();
            connect("other", fine);
            assertThat(fine.next()).isEqualTo("opened");
            try (SocketChannel peer = other.accept()) {
                peer.write(ascii("still here"));
                assertThat(fine.next()).isEqualTo("received still here");
            }
            int read = 0;
            while (read < taken) {
                read += silent.read(block.clear());
            }
            assertThat(stuck.next()).isEqualTo("writable");
            assertThat(toStuck.send(block.clear())).isTrue();
            silent.close();
        }
    }

    @Test
    void aHandlerThatThrowsLosesItsOwnConnectionAlone() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            Events fine = new Events();
            connect("peer", fine);
            assertThat(fine.next()).isEqualTo("opened");
            SocketChannel finePeer = server.accept();
            Events told = new Events();
            loop.connect(directory.resolve("peer").toString(), PATIENCE, new ConnectionHandler() {
                @Override
                public void opened(Connection connection) {
                    throw new IllegalStateException("broken");
                }

                @Override
                public void received(Connection connection, ByteBuffer bytes) {
                    told.received(connection, bytes);
                }

                @Override
                public void writable(Connection connection) {
                    told.writable(connection);
                }

                @Override
                public void closed(Connection connection, String why) {
                    told.closed(connection, why);
                }
            });
            assertThat(told.next()).contains("its handler failed");
            finePeer.write(ascii("x"));
            assertThat(fine.next()).isEqualTo("received x");
        }
    }

    @Test
    void moreConnectionsThanAllowedAreRefusedByName() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            List<SocketChannel> peers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Events events = new Events();
                connect("peer", events);
                assertThat(events.next()).isEqualTo("opened");
                peers.add(server.accept());
            }
            Events refused = new Events();
            connect("peer", refused);
            assertThat(refused.next()).contains("max.connections");
            peers.get(0).close();
            peers.forEach(peer -> assertThat(peer).isNotNull());
        }
    }

    @Test
    void stoppingTellsEveryHandler() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            Events events = new Events();
            connect("peer", events);
            assertThat(events.next()).isEqualTo("opened");
            loop.stop();
            assertThat(events.next()).isEqualTo("closed: the transport stops");
        }
    }
}
