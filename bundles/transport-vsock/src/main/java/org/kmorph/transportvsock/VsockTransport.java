// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Listener;
import org.kmorph.api.transport.Transport;
import org.kmorph.api.transport.VsockLink;
import org.kmorph.nativeos.DescriptorSockets;
import org.kmorph.nativeos.Descriptors;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.Pollers;
import org.kmorph.nativeos.VsockSockets;
import org.kmorph.nativeos.VsockSockets.Address;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The transport of scheme {@code vsock}: an endpoint's address is {@code CID:PORT}. A kernel that a host has registered a
 * {@link VsockLink} for is reached over that, without this machine's kernel; any other over AF_VSOCK, where this machine's kernel has
 * a transport that leads there.
 */
@Component(configurationPid = "org.kmorph.transport-vsock")
@Designate(ocd = VsockTransport.Config.class)
public final class VsockTransport implements Transport {

    /** The configuration, {@code etc/org.kmorph.transport-vsock.cfg}. */
    @ObjectClassDefinition(name = "kmorph transport-vsock")
    public @interface Config {
        @AttributeDefinition(description = "how many connections there may be at once", min = "1", max = "100000")
        int max_connections() default 4096;

        @AttributeDefinition(
                description = "how many bytes wait at most for a peer that does not read",
                min = "4096",
                max = "67108864")
        int send_queue_bytes() default 2097152;

        @AttributeDefinition(description = "whether AF_VSOCK sockets are used where no link leads to a context id")
        boolean af_vsock() default true;
    }

    /** What is answered to who asks too late. */
    static final String STOPPED = "the transport has stopped";

    private final Config config;
    private final Loop loop;
    private final Links links;
    private final KernelVsock kernel;
    private final Listeners listeners;

    @Activate
    public VsockTransport(
            Config config,
            @Reference Pollers pollers,
            @Reference DescriptorSockets sockets,
            @Reference Descriptors descriptors,
            @Reference VsockSockets vsock)
            throws ErrnoException {
        this.config = config;
        loop = new Loop(pollers.open());
        kernel = new KernelVsock(loop, vsock, descriptors, config.af_vsock(), config.send_queue_bytes());
        listeners = new Listeners(loop, kernel, config.max_connections(), config.send_queue_bytes());
        links = new Links(loop, sockets, descriptors, listeners);
        loop.start();
    }

    @Deactivate
    void stop() throws InterruptedException {
        loop.refuse();
        loop.execute(listeners::stop);
        links.stop();
        loop.execute(() -> loop.closeAll("the transport stops"));
        loop.stop();
    }

    /** A host has a link. */
    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addLink(VsockLink link) {
        links.add(link);
    }

    void removeLink(VsockLink link) {
        links.remove(link);
    }

    @Override
    public String scheme() {
        return "vsock";
    }

    @Override
    public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
        Address address = parse(peer);
        Optional<Link> link = links.of(address.cid());
        if (link.isPresent()) {
            RingConnection made =
                    new RingConnection(loop, link.get(), address.port(), handler, config.send_queue_bytes());
            begin(made, () -> link.get().connect(made, deadline));
            return made;
        }
        SocketConnection made = kernel.connection(address, handler);
        begin(made, () -> kernel.connect(made, deadline));
        return made;
    }

    /**
     * {@inheritDoc}
     *
     * <p>{@code vsock:2:PORT} is the host's side of every link, and of AF_VSOCK where this machine's kernel is a host; with
     * {@code 4294967295}, AF_VSOCK by any context id of this kernel's.
     */
    @Override
    public Listener listen(Endpoint at, Function<Endpoint, ConnectionHandler> handlers) throws IOException {
        try {
            return listeners.listen(parse(at), handlers);
        } catch (IOException e) {
            throw new IOException("cannot listen at " + at + ": " + e.getMessage(), e);
        }
    }

    private void begin(QueuedConnection made, Runnable connect) {
        loop.execute(() -> {
            if (made.hasEnded()) {
                return;
            }
            if (!loop.accepting()) {
                made.ended(STOPPED);
            } else if (loop.begins(made, config.max_connections())) {
                connect.run();
            } else {
                made.ended("there are " + config.max_connections()
                        + " connections, as many as max.connections in etc/org.kmorph.transport-vsock.cfg allows");
            }
        });
    }

    @Override
    public CompletableFuture<Reach> probe(Endpoint peer, Duration deadline) {
        CompletableFuture<Reach> answer = new CompletableFuture<>();
        Address address = parse(peer);
        Optional<Link> link = links.of(address.cid());
        if (link.isPresent()) {
            loop.execute(() -> link.get().probe(deadline, answer));
        } else if (kernel.leadsTo(address.cid())) {
            connect(peer, deadline, new KernelProbe(answer, loop::accepting));
        } else {
            answer.completeExceptionally(new IOException(loop.accepting() ? kernel.whyNot(address.cid()) : STOPPED));
        }
        return answer;
    }

    private static Address parse(Endpoint peer) {
        String[] numbers = peer.address().split(":", -1);
        try {
            if (numbers.length == 2) {
                return new Address(unsigned(numbers[0]), unsigned(numbers[1]));
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(notOurs(peer), e);
        }
        throw new IllegalArgumentException(notOurs(peer));
    }

    private static String notOurs(Endpoint peer) {
        return peer + " is no endpoint of this transport; expected vsock:CID:PORT";
    }

    private static long unsigned(String number) {
        return Integer.toUnsignedLong(Integer.parseUnsignedInt(number));
    }
}
