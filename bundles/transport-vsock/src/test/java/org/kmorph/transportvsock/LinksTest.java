// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Listener;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.api.transport.VsockLink;
import org.kmorph.transportvsock.stream.Op;

/** The transport over a link: its keeper, its memory and the kernel at the other side are fakes, all else is real. */
class LinksTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Path KEEPER = Path.of("/instance/shim.sock");
    private static final VsockLink LINK = new VsockLink(FakeKernel.CID, FakeKernel.ID, KEEPER);
    private static final int MOST_CONNECTIONS = 3;

    private final FakeKeeper keeper = new FakeKeeper();
    private VsockTransport transport;

    @BeforeEach
    void start() throws Exception {
        transport = new VsockTransport(
                new Settings(MOST_CONNECTIONS, 1 << 16, false), () -> keeper, keeper, keeper, NoVsock.INSTANCE);
    }

    @AfterEach
    void allIsGivenBack() throws Exception {
        transport.stop();
        assertThat(keeper.held()).as("descriptors and mappings").isZero();
    }

    private Connection connect(long port, Events events) {
        return transport.connect(new Endpoint("vsock", FakeKernel.CID + ":" + port), PATIENCE, events);
    }

    private static ByteBuffer ascii(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void bytesGoToTheKernelAndBack() throws Exception {
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            Events events = new Events();
            Connection connection = connect(FakeKernel.ECHO_PORT, events);
            assertThat(events.next()).isEqualTo("opened");
            assertThat(connection.send(ascii("hello"))).isTrue();
            assertThat(events.next()).isEqualTo("received hello");
            connection.close("enough");
            assertThat(events.next()).contains("closed: ", "enough");
            assertThat(kernel.next()).isEqualTo("up");
        }
    }

    @Test
    void kernelsRefusalIsTold() throws Exception {
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            Events events = new Events();
            connect(1, events);
            assertThat(events.next()).contains("closed: ", "vsock:9:1", "nobody listens");
            assertThat(kernel.next()).isEqualTo("up");
        }
    }

    @Test
    void connectionWaitsForTheKernelToComeUp() throws Exception {
        transport.addLink(LINK);
        Events events = new Events();
        connect(FakeKernel.ECHO_PORT, events);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            assertThat(events.next()).isEqualTo("opened");
            assertThat(kernel.next()).isEqualTo("up");
        }
        assertThat(events.next()).contains("closed: ", "the kernel's side of the link is down");
    }

    @Test
    void connectionThatNobodyAnswersEndsWithItsDeadline() throws Exception {
        transport.addLink(LINK);
        Events events = new Events();
        transport.connect(new Endpoint("vsock", FakeKernel.CID + ":9000"), Duration.ofMillis(50), events);
        assertThat(events.next()).contains("no connection to vsock:9:9000 within 50 ms");
    }

    @Test
    void contextIdThatNobodyHasRegisteredSaysWhatLeadsThere() throws Exception {
        Events events = new Events();
        transport.connect(new Endpoint("vsock", "12:9000"), PATIENCE, events);
        assertThat(events.next()).contains("context id 12", "no host has registered a link", "af.vsock=false");
        assertThat(transport.probe(new Endpoint("vsock", "12:9000"), PATIENCE))
                .as("the host may only be late, or replaced")
                .failsWithin(PATIENCE)
                .withThrowableThat()
                .withMessageContaining("no host has registered a link");
        assertThatThrownBy(() -> transport.connect(new Endpoint("vsock", "twelve"), PATIENCE, events))
                .hasMessageContaining("expected vsock:CID:PORT");
    }

    @Test
    void kernelItselfAnswersAProbe() throws Exception {
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            assertThat(kernel.next()).isEqualTo("up");
            assertThat(transport
                            .probe(new Endpoint("vsock", "9:9000"), PATIENCE)
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isEqualTo(Reach.ANSWERS);
        }
        assertThat(transport
                        .probe(new Endpoint("vsock", "9:9000"), Duration.ofMillis(30))
                        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isEqualTo(Reach.SILENT);
    }

    @Test
    void probeOfALinkThatAnotherHasStillWaitsForIt() throws Exception {
        keeper.saysFirst("ERROR another connection has the link");
        transport.addLink(LINK);
        CompletableFuture<Reach> probe = transport.probe(new Endpoint("vsock", "9:9000"), PATIENCE);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            assertThat(probe.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(Reach.ANSWERS);
            assertThat(kernel.next()).isEqualTo("up");
        }
    }

    @Test
    void linkThatAnotherHasIsAskedForUntilItIsFree() throws Exception {
        keeper.saysFirst(
                "RUNNING 1 1.0 isolated=",
                "ERROR another connection has the link",
                "ERROR another connection has the link",
                "RUNNING 1 1.0 isolated=");
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            assertThat(kernel.next()).isEqualTo("up");
        }
        assertThat(keeper.timesAsked()).isEqualTo(3);
    }

    @Test
    void keeperThatDiesEndsConnectionsAndItsSuccessorIsFound() throws Exception {
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            Events events = new Events();
            connect(FakeKernel.ECHO_PORT, events);
            assertThat(events.next()).isEqualTo("opened");
            keeper.dies();
            assertThat(events.next()).contains("closed: ", "its keeper has gone");
            Events again = new Events();
            connect(FakeKernel.ECHO_PORT, again);
            assertThat(again.next()).isEqualTo("opened");
            assertThat(kernel.next()).isEqualTo("up");
        }
    }

    @Test
    void keeperThatIsNotThereYetIsAskedAgain() throws Exception {
        keeper.listens(false);
        transport.addLink(LINK);
        keeper.listens(true);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            assertThat(kernel.next()).isEqualTo("up");
        }
    }

    @Test
    void whatIsNoKeeperGivesNothingAndLeavesNothing() throws Exception {
        for (String nonsense : List.of("LINK many 2 7", "LINK 1048576 9 7", "HELLO")) {
            keeper.saysFirst(nonsense.startsWith("LINK") ? nonsense : "x".repeat(300));
            assertThatThrownBy(() -> Attachment.to(keeper, keeper, KEEPER))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(KEEPER.toString());
            assertThat(keeper.held()).isZero();
        }
        keeper.forgets(1);
        assertThatThrownBy(() -> Attachment.to(keeper, keeper, KEEPER)).hasMessageContaining("does not give its link");
        assertThat(keeper.held()).isZero();
    }

    @Test
    void linkOfTwoHoldersGoesWithTheLast() throws Exception {
        transport.addLink(LINK);
        transport.addLink(new VsockLink(FakeKernel.CID, FakeKernel.ID, KEEPER));
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            Events events = new Events();
            connect(FakeKernel.ECHO_PORT, events);
            assertThat(events.next()).isEqualTo("opened");
            transport.removeLink(LINK);
            assertThat(transport.probe(new Endpoint("vsock", "9:1"), PATIENCE).get(10, TimeUnit.SECONDS))
                    .isEqualTo(Reach.ANSWERS);
            transport.removeLink(LINK);
            assertThat(events.next()).contains("closed: ", "no host has a link to context id 9 any more");
            assertThat(kernel.next()).isEqualTo("up");
        }
        Awaitility.await().until(() -> keeper.held() == 0);
    }

    @Test
    void connectionOfTheKernelsIsTakenWhereSomebodyListens() throws Exception {
        transport.addLink(LINK);
        Events events = new Events();
        List<Endpoint> peers = new ArrayList<>();
        try (FakeKernel kernel = new FakeKernel(keeper);
                Listener listener = transport.listen(new Endpoint("vsock", "2:7000"), peer -> {
                    peers.add(peer);
                    return events;
                })) {
            assertThat(kernel.next()).isEqualTo("up");
            kernel.sends(Op.REQUEST, 40_000, 7000);
            assertThat(kernel.next()).isEqualTo("RESPONSE 7000 40000");
            assertThat(events.next()).isEqualTo("opened");
            assertThat(peers).containsExactly(new Endpoint("vsock", "9:40000"));
            kernel.sends(Op.REQUEST, 40_001, 7001);
            assertThat(kernel.next()).isEqualTo("RST 7001 40001");
            listener.close();
            kernel.sends(Op.REQUEST, 40_002, 7000);
            assertThat(kernel.next()).isEqualTo("RST 7000 40002");
            kernel.sends(Op.RST, 40_000, 7000);
            assertThat(events.next()).contains("closed: ", "has reset the connection");
        }
    }

    @Test
    void portIsOfOneListenerAndContextIdsAreTheKernels() throws Exception {
        Listener first = transport.listen(new Endpoint("vsock", "2:7000"), peer -> new Events());
        assertThatThrownBy(() -> transport.listen(new Endpoint("vsock", "2:7000"), peer -> new Events()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen at vsock:2:7000");
        first.close();
        first.close();
        transport.listen(new Endpoint("vsock", "2:7000"), peer -> new Events()).close();
        assertThatThrownBy(() -> transport.listen(new Endpoint("vsock", "1:7000"), peer -> new Events()))
                .hasMessageContaining("af.vsock=false");
    }

    @Test
    void moreConnectionsThanMayBeAreRefusedWithTheWayOut() throws Exception {
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper);
                Listener listener = transport.listen(new Endpoint("vsock", "2:7000"), peer -> new Events())) {
            assertThat(kernel.next()).isEqualTo("up");
            for (int i = 0; i < MOST_CONNECTIONS; i++) {
                kernel.sends(Op.REQUEST, 40_000 + i, 7000);
                assertThat(kernel.next()).startsWith("RESPONSE");
            }
            kernel.sends(Op.REQUEST, 50_000, 7000);
            assertThat(kernel.next()).isEqualTo("RST 7000 50000");
            Events events = new Events();
            connect(FakeKernel.ECHO_PORT, events);
            assertThat(events.next()).contains("max.connections in etc/org.kmorph.transport-vsock.cfg");
            listener.close();
        }
    }

    @Test
    void whatIsAskedOfATransportThatHasStoppedEndsAtOnceAndSaysNothingOfTheKernel() throws Exception {
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper)) {
            assertThat(kernel.next()).isEqualTo("up");
            Events open = new Events();
            connect(FakeKernel.ECHO_PORT, open);
            assertThat(open.next()).isEqualTo("opened");
            transport.stop();
            assertThat(open.next()).contains("closed: ", "the transport stops");
            Events late = new Events();
            connect(FakeKernel.ECHO_PORT, late);
            assertThat(late.next()).isEqualTo("closed: the transport has stopped");
            assertThatThrownBy(() -> transport
                            .probe(new Endpoint("vsock", "9:9000"), PATIENCE)
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .hasRootCauseMessage("the transport has stopped");
            transport.removeLink(LINK);
        }
    }

    @Test
    void whateverIsAskedWhileTheTransportStopsIsAnsweredWithoutTheLocksOfWhoAsks() throws Exception {
        transport.addLink(LINK);
        Thread stopper = new Thread(() -> {
            try {
                transport.stop();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        List<Events> asking = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            Events events = new Events();
            asking.add(events);
            if (i == 100) {
                stopper.start();
            }
            synchronized (events) {
                connect(FakeKernel.ECHO_PORT, events);
            }
        }
        stopper.join();
        for (Events each : asking) {
            assertThat(each.next()).startsWith("closed: ");
        }
    }

    @Test
    void probeUnderWayWhenTheTransportStopsSaysNothingOfTheKernel() throws Exception {
        transport.addLink(LINK);
        Awaitility.await().until(() -> keeper.held() > 1);
        CompletableFuture<Reach> probe = transport.probe(new Endpoint("vsock", "9:9000"), PATIENCE);
        transport.stop();
        assertThatThrownBy(() -> probe.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .rootCause()
                .hasMessageStartingWith("the transport");
    }

    @Test
    void handlerThatThrowsCostsItsOwnConnection() throws Exception {
        transport.addLink(LINK);
        try (FakeKernel kernel = new FakeKernel(keeper);
                Listener listener = transport.listen(new Endpoint("vsock", "2:7000"), peer -> {
                    throw new IllegalStateException("busy");
                })) {
            assertThat(kernel.next()).isEqualTo("up");
            kernel.sends(Op.REQUEST, 40_000, 7000);
            assertThat(kernel.next()).isEqualTo("RST 7000 40000");
            Events events = new Events();
            connect(FakeKernel.ECHO_PORT, events);
            assertThat(events.next()).isEqualTo("opened");
            listener.close();
        }
    }
}
