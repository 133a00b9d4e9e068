// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.VsockSockets;

/** What a probe over AF_VSOCK concludes from what the socket says: of a kernel, and of nothing. */
class KernelProbeTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Endpoint PEER = new Endpoint("vsock", "9:9000");

    private final FakeKeeper system = new FakeKeeper();
    private final BlockingQueue<Integer> connecting = new LinkedBlockingQueue<>();
    private Optional<Errno> opening = Optional.empty();
    private Optional<Errno> connected = Optional.empty();
    private VsockTransport transport;

    @BeforeEach
    void start() throws Exception {
        transport = new VsockTransport(new Settings(1, 1 << 16, true), () -> system, system, system, sockets());
    }

    @AfterEach
    void allIsGivenBack() throws Exception {
        transport.stop();
        assertThat(system.held()).as("descriptors").isZero();
    }

    /** Sockets of a machine whose kernel is a host; a connection waits until it is told how it ends. */
    private VsockSockets sockets() {
        return (VsockSockets) Proxy.newProxyInstance(
                VsockSockets.class.getClassLoader(),
                new Class<?>[] {VsockSockets.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "localCid" -> OptionalLong.of(VsockSockets.HOST_CID);
                    case "open" -> open();
                    case "connect" -> !connecting.add((Integer) arguments[0]);
                    case "finishConnect" -> finish();
                    default -> throw new AssertionError(method.getName());
                });
    }

    private int open() throws ErrnoException {
        if (opening.isPresent()) {
            throw new ErrnoException("socket", "", opening.get().number());
        }
        return system.make();
    }

    private Optional<Void> finish() throws ErrnoException {
        if (connected.isPresent()) {
            throw new ErrnoException("connect", "", connected.get().number());
        }
        return Optional.empty();
    }

    private int underWay() throws InterruptedException {
        return Optional.ofNullable(connecting.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .orElseThrow();
    }

    private CompletableFuture<Reach> probe(Duration deadline) {
        return transport.probe(PEER, deadline);
    }

    @Test
    void refusalTakesAKernelToSay() throws Exception {
        connected = Optional.of(Errno.ECONNRESET);
        CompletableFuture<Reach> probe = probe(PATIENCE);
        system.readies(underWay());
        assertThat(probe).succeedsWithin(PATIENCE).isEqualTo(Reach.ANSWERS);
    }

    @Test
    void connectionThatFailsOtherwiseOrIsNotAnsweredIsSilence() throws Exception {
        connected = Optional.of(Errno.ETIMEDOUT);
        CompletableFuture<Reach> failing = probe(PATIENCE);
        system.readies(underWay());
        assertThat(failing).succeedsWithin(PATIENCE).isEqualTo(Reach.SILENT);
        assertThat(probe(Duration.ofMillis(30))).succeedsWithin(PATIENCE).isEqualTo(Reach.SILENT);
    }

    @Test
    void machineThatHasNoDescriptorSaysNothingOfTheKernel() {
        opening = Optional.of(Errno.EMFILE);
        assertThat(probe(PATIENCE)).failsWithin(PATIENCE).withThrowableThat().withMessageContaining("EMFILE");
    }

    @Test
    void transportWithoutRoomForAnotherConnectionSaysNothingOfTheKernel() throws Exception {
        transport.connect(PEER, PATIENCE, new Events());
        underWay();
        assertThat(probe(PATIENCE)).failsWithin(PATIENCE).withThrowableThat().withMessageContaining("max.connections");
    }

    @Test
    void transportThatStopsSaysNothingOfTheKernel() throws Exception {
        CompletableFuture<Reach> underWay = probe(PATIENCE);
        underWay();
        transport.stop();
        assertThat(underWay).failsWithin(PATIENCE).withThrowableThat().withMessageContaining("the transport stops");
        assertThat(probe(PATIENCE)).failsWithin(PATIENCE).withThrowableThat().withMessageContaining("has stopped");
    }
}
