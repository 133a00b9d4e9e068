// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportlocal;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The transport of scheme {@code unix}: an endpoint's address is the path of a listening stream socket. */
@Component(configurationPid = "org.kmorph.transport-local")
@Designate(ocd = UnixTransport.Config.class)
public final class UnixTransport implements Transport {

    /** The configuration, {@code etc/org.kmorph.transport-local.cfg}. */
    @ObjectClassDefinition(name = "kmorph transport-local")
    public @interface Config {
        @AttributeDefinition(description = "how many connections there may be at once", min = "1", max = "100000")
        int max_connections() default 4096;

        @AttributeDefinition(
                description = "how many bytes wait at most for a peer that does not read",
                min = "4096",
                max = "67108864")
        int send_queue_bytes() default 2097152;
    }

    /** What a healthy peer needs at most to answer what the loop has just sent. */
    private static final Duration ANSWERS_FIRST = Duration.ofMillis(10);

    private final EventLoop loop;

    @Activate
    public UnixTransport(Config config) throws IOException {
        loop = new EventLoop(config.max_connections(), config.send_queue_bytes());
        loop.start();
    }

    @Deactivate
    void stop() throws InterruptedException {
        loop.stop();
    }

    @Override
    public String scheme() {
        return "unix";
    }

    @Override
    public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
        return loop.connect(peer.address(), deadline, handler);
    }

    /**
     * Whether a process listens at the socket. A connection that the kernel takes, or that finds the queue of a stalled process full,
     * says that it lives. The loop asks, and a little later than it could: whoever asks because of a silence first learns of an answer
     * that came long ago and that only the loop was late to read, or that comes now because the loop was late to send what it answers.
     */
    @Override
    public CompletableFuture<Reach> probe(Endpoint peer, Duration deadline) {
        CompletableFuture<Reach> found = new CompletableFuture<>();
        loop.executeLater(ANSWERS_FIRST, () -> {
            if (loop.hasStopped()) {
                found.completeExceptionally(new IOException(EventLoop.STOPPED));
            } else {
                probe(peer, found);
            }
        });
        return found.orTimeout(deadline.toNanos(), TimeUnit.NANOSECONDS);
    }

    private static void probe(Endpoint peer, CompletableFuture<Reach> found) {
        try (SocketChannel socket = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.configureBlocking(false);
            found.complete(reach(socket, UnixDomainSocketAddress.of(peer.address())));
        } catch (IOException | IllegalArgumentException e) {
            found.completeExceptionally(e);
        }
    }

    private static Reach reach(SocketChannel socket, UnixDomainSocketAddress address) throws IOException {
        try {
            socket.connect(address);
            return Reach.ANSWERS;
        } catch (ConnectException e) {
            return Reach.GONE;
        } catch (SocketException e) {
            if (Files.notExists(address.getPath())) {
                return Reach.GONE;
            }
            throw e;
        }
    }
}
