// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Listener;
import org.kmorph.nativeos.VsockSockets;
import org.kmorph.nativeos.VsockSockets.Address;
import org.kmorph.transportvsock.stream.Event.Frame;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who listens. A port of the host's context id is listened at on every link, and over AF_VSOCK where this machine's kernel has that
 * context id too; any other context id is the kernel's alone.
 */
final class Listeners implements Link.Incoming {
    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    private final Loop loop;
    private final KernelVsock kernel;
    private final int mostConnections;
    private final int queueBytes;
    private final Map<Long, Listening> onLinks = new ConcurrentHashMap<>();
    private final Map<Listening, SocketListener> sockets = new ConcurrentHashMap<>();

    Listeners(Loop loop, KernelVsock kernel, int mostConnections, int queueBytes) {
        this.loop = loop;
        this.kernel = kernel;
        this.mostConnections = mostConnections;
        this.queueBytes = queueBytes;
    }

    /** From any thread. @throws IOException when the port is taken, or neither a link nor the kernel has that context id */
    Listener listen(Address at, Function<Endpoint, ConnectionHandler> handlers) throws IOException {
        Listening made = new Listening(at, handlers);
        boolean links = at.cid() == VsockSockets.HOST_CID || at.cid() == VsockSockets.ANY;
        if (links && onLinks.putIfAbsent(at.port(), made) != null) {
            throw new IOException("somebody listens at port " + at.port() + " already");
        }
        try {
            Optional<SocketListener> socket = kernel.listen(at, links, (fd, peer) -> taken(made, fd, peer));
            socket.ifPresent(listener -> {
                sockets.put(made, listener);
                loop.execute(listener::start);
            });
            return made;
        } catch (IOException e) {
            made.close();
            throw e;
        }
    }

    /** On the loop. */
    void stop() {
        onLinks.clear();
        sockets.values().forEach(SocketListener::close);
        sockets.clear();
    }

    @Override
    public boolean listensAt(long localPort) {
        return onLinks.containsKey(localPort);
    }

    @Override
    public boolean asked(Link link, long localPort, long peerPort, Frame request) {
        Optional<ConnectionHandler> handler = Optional.ofNullable(onLinks.get(localPort))
                .flatMap(by -> handler(by, new Address(link.address().contextId(), peerPort)));
        handler.ifPresent(found -> {
            RingConnection made = new RingConnection(loop, link, peerPort, found, queueBytes);
            loop.begins(made, mostConnections);
            link.accept(made, localPort, request);
        });
        return handler.isPresent();
    }

    private void taken(Listening by, int fd, Address peer) {
        Optional<ConnectionHandler> handler = handler(by, peer);
        if (handler.isEmpty()) {
            kernel.refuse(fd);
            return;
        }
        SocketConnection made = kernel.connection(peer, handler.get());
        loop.begins(made, mostConnections);
        made.take(fd);
    }

    private Optional<ConnectionHandler> handler(Listening by, Address peer) {
        if (!loop.hasRoom(mostConnections)) {
            LOG.warn(
                    "{}:{} was refused a connection: there are {}, as many as max.connections in"
                            + " etc/org.kmorph.transport-vsock.cfg allows",
                    peer.cid(),
                    peer.port(),
                    mostConnections);
            return Optional.empty();
        }
        try {
            return Optional.of(by.handlers.apply(new Endpoint("vsock", peer.cid() + ":" + peer.port())));
        } catch (RuntimeException e) {
            LOG.warn("who listens at port {} failed to take a connection", by.at.port(), e);
            return Optional.empty();
        }
    }

    private final class Listening implements Listener {
        private final Address at;
        private final Function<Endpoint, ConnectionHandler> handlers;

        Listening(Address at, Function<Endpoint, ConnectionHandler> handlers) {
            this.at = at;
            this.handlers = handlers;
        }

        @Override
        public void close() {
            onLinks.remove(at.port(), this);
            Optional.ofNullable(sockets.remove(this)).ifPresent(socket -> loop.execute(socket::close));
        }
    }
}
