// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportlocal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

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
    private static class Events implements ConnectionHandler {
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

        void probed(Transport.Reach reach) {
            events.add("probed " + reach);
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

    /** A peer that comes and goes would else cost what its sessions hold, for as long as connecting may take. */
    @Test
    void connectionThatHasEndedIsNotHeldUntilItsDeadline() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            ReferenceQueue<Events> released = new ReferenceQueue<>();
            Events events = new Events();
            PhantomReference<Events> reference = new PhantomReference<>(events, released);
            Connection connection = loop.connect(directory.resolve("peer").toString(), Duration.ofHours(1), events);
            assertThat(events.next()).isEqualTo("opened");
            connection.close("enough");
            assertThat(events.next()).isEqualTo("closed: enough");
            server.accept().close();
            connection = null;
            events = null;
            long end = System.nanoTime() + PATIENCE.toNanos();
            boolean is = false;
            while (!is && System.nanoTime() < end) {
                System.gc();
                is = released.remove(50) == reference;
            }
            assertThat(is).isTrue();
        }
    }

    @Test
    void connectionAskedOfATransportThatHasStoppedEndsAtOnce() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            loop.stop();
            Events events = new Events();
            connect("peer", events);
            assertThat(events.next()).isEqualTo("closed: the transport has stopped");
            assertThat(server.isOpen()).isTrue();
        }
    }

    /** Whose events need a lock that it holds while it asks. */
    private final class Locking extends Events {
        private synchronized void ask(String name) {
            connect(name, this);
        }

        @Override
        public synchronized void closed(Connection connection, String why) {
            super.closed(connection, why);
        }
    }

    @Test
    void whateverIsAskedWhileTheTransportStopsIsAnsweredWithoutTheLocksOfWhoAsks() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            assertThat(server.isOpen()).isTrue();
            List<Locking> asking = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                asking.add(new Locking());
            }
            Thread stopper = new Thread(() -> {
                try {
                    loop.stop();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            for (Locking each : asking) {
                if (each == asking.get(asking.size() / 2)) {
                    stopper.start();
                }
                each.ask("nobody");
            }
            stopper.join();
            for (Locking each : asking) {
                assertThat(each.next()).startsWith("closed: ");
            }
        }
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
    void whatIsSentComesInItsOrderHoweverSlowlyThePeerReads() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            Events events = new Events();
            Connection connection = connect("peer", events);
            assertThat(events.next()).isEqualTo("opened");
            try (SocketChannel peer = server.accept()) {
                ByteBuffer got = ByteBuffer.allocate(997);
                long sent = 0;
                long received = 0;
                while (received < 10_000_000) {
                    ByteBuffer numbers = ByteBuffer.allocate(8 * 4096);
                    for (int i = 0; i < 4096; i++) {
                        numbers.putLong(sent / 8 + i);
                    }
                    sent += connection.send(numbers.flip()) ? numbers.capacity() : 0;
                    got.clear().limit((int) Math.min(got.capacity(), sent - received));
                    peer.read(got);
                    for (int at = 0; at < got.position(); at++, received++) {
                        assertThat(got.get(at)).isEqualTo((byte) (received / 8 >>> 8 * (7 - received % 8)));
                    }
                }
            }
        }
    }

    @Test
    void anInterruptedSenderKeepsTheConnection() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            Events events = new Events();
            Connection connection = connect("peer", events);
            assertThat(events.next()).isEqualTo("opened");
            try (SocketChannel peer = server.accept()) {
                Thread.currentThread().interrupt();
                assertThat(connection.send(ascii("ping"))).isTrue();
                assertThat(Thread.interrupted()).isTrue();
                peer.write(ascii("pong"));
                assertThat(events.next()).isEqualTo("received pong");
            }
        }
    }

    @Test
    void aPeerThatHasGoneIsNoticedInSending() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            Events events = new Events();
            Connection connection = connect("peer", events);
            assertThat(events.next()).isEqualTo("opened");
            server.accept().close();
            while (connection.send(ascii("ping"))) {
                Thread.onSpinWait();
            }
            assertThat(events.next()).startsWith("closed: ");
        }
    }

    /** What the distribution is configured with. */
    private static UnixTransport.Config config() {
        return new UnixTransport.Config() {
            @Override
            public int max_connections() {
                return 100;
            }

            @Override
            public int send_queue_bytes() {
                return QUEUE_BYTES;
            }

            @Override
            public Class<? extends Annotation> annotationType() {
                return UnixTransport.Config.class;
            }
        };
    }

    @Test
    void anAnswerThatTheLoopWasLateToReadComesBeforeWhatAProbeFinds() throws Exception {
        UnixTransport transport = new UnixTransport(config());
        try (ServerSocketChannel server = listen("peer")) {
            Endpoint endpoint = new Endpoint("unix", directory.resolve("peer").toString());
            CountDownLatch late = new CountDownLatch(1);
            Events events = new Events();
            transport.connect(endpoint, PATIENCE, events);
            assertThat(events.next()).isEqualTo("opened");
            try (SocketChannel peer = server.accept();
                    SocketChannel blocker = blockLoop(transport, server, endpoint, late)) {
                CompletableFuture<Void> probed =
                        transport.probe(endpoint, PATIENCE).thenAccept(events::probed);
                peer.write(ascii("pong"));
                late.countDown();
                assertThat(events.next()).isEqualTo("received pong");
                assertThat(events.next()).isEqualTo("probed ANSWERS");
                probed.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
        } finally {
            transport.stop();
        }
    }

    /** A handler that keeps the loop until {@code late}, and the peer that called it. */
    private static SocketChannel blockLoop(
            UnixTransport transport, ServerSocketChannel server, Endpoint endpoint, CountDownLatch late)
            throws IOException, InterruptedException {
        CountDownLatch blocked = new CountDownLatch(1);
        transport.connect(endpoint, PATIENCE, new ConnectionHandler() {
            @Override
            public void opened(Connection connection) {
                blocked.countDown();
                await(late);
            }

            @Override
            public void received(Connection connection, ByteBuffer bytes) {
                // it sends nothing
            }

            @Override
            public void writable(Connection connection) {
                // nothing waits
            }

            @Override
            public void closed(Connection connection, String why) {
                // as it may
            }
        });
        blocked.await();
        return server.accept();
    }

    @Test
    void aProbeTellsALivingSocketFromNone() throws Exception {
        UnixTransport transport = new UnixTransport(config());
        try (ServerSocketChannel server = listen("peer")) {
            assertThat(server.isOpen()).isTrue();
            assertThat(transport.probe(
                            new Endpoint("unix", directory.resolve("peer").toString()), PATIENCE))
                    .succeedsWithin(PATIENCE)
                    .isEqualTo(Transport.Reach.ANSWERS);
            assertThat(transport.probe(
                            new Endpoint("unix", directory.resolve("none").toString()), PATIENCE))
                    .succeedsWithin(PATIENCE)
                    .isEqualTo(Transport.Reach.GONE);
        } finally {
            transport.stop();
        }
    }

    @Test
    void aProbeOfATransportThatStopsFindsNothing() throws Exception {
        UnixTransport transport = new UnixTransport(config());
        Endpoint nobody = new Endpoint("unix", directory.resolve("none").toString());
        CompletableFuture<Transport.Reach> underWay = transport.probe(nobody, PATIENCE);
        transport.stop();
        for (CompletableFuture<Transport.Reach> probe : List.of(underWay, transport.probe(nobody, PATIENCE))) {
            assertThat(probe)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .withMessageContaining("the transport has stopped");
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

    /** Both are ready in one turn of the loop, and what the first is told closes the second. */
    @Test
    void twoPeersThatGoAtOnceLeaveTheOthersAlone() throws Exception {
        try (ServerSocketChannel server = listen("peer")) {
            Events fine = new Events();
            connect("peer", fine);
            assertThat(fine.next()).isEqualTo("opened");
            SocketChannel finePeer = server.accept();
            List<Connection> pair = new ArrayList<>();
            CountDownLatch late = new CountDownLatch(1);
            List<Events> told = List.of(new ClosesAll(pair), new ClosesAll(pair));
            List<SocketChannel> peers = new ArrayList<>();
            for (Events each : told) {
                pair.add(connect("peer", each));
                assertThat(each.next()).isEqualTo("opened");
                peers.add(server.accept());
            }
            loop.execute(() -> await(late));
            for (SocketChannel peer : peers) {
                peer.close();
            }
            late.countDown();
            for (Events each : told) {
                assertThat(each.next()).startsWith("closed: ");
            }
            finePeer.write(ascii("x"));
            assertThat(fine.next()).isEqualTo("received x");
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Closes the others when one of them goes. */
    private static final class ClosesAll extends Events {
        private final List<Connection> connections;

        private ClosesAll(List<Connection> connections) {
            this.connections = connections;
        }

        @Override
        public void closed(Connection connection, String why) {
            super.closed(connection, why);
            connections.forEach(each -> each.close("its neighbour went"));
        }
    }

    @Test
    void aTaskThatThrowsEndsNoLoop() throws Exception {
        loop.execute(() -> {
            throw new IllegalStateException("broken");
        });
        try (ServerSocketChannel server = listen("peer")) {
            Events events = new Events();
            connect("peer", events);
            assertThat(events.next()).isEqualTo("opened");
            server.accept().close();
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
