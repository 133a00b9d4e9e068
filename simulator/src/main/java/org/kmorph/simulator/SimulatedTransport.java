// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;

/** Ways from one daemon to the agents of the machine's kernels. */
final class SimulatedTransport implements Transport {
    /** Of agents that reach each other, so that morphs go from one to the other; and of those that do not. */
    private static final String DIRECT = "unix";

    private static final String RELAYED = "vsock";

    private final World world;
    private final Life daemon;

    SimulatedTransport(World world, Life daemon) {
        this.world = world;
        this.daemon = daemon;
    }

    static Endpoint endpoint(World world, int id) {
        return new Endpoint(scheme(world), Integer.toString(id));
    }

    private static String scheme(World world) {
        return world.relays() ? RELAYED : DIRECT;
    }

    private Optional<Kernel> kernel(Endpoint peer) {
        return world.machine().kernel(Integer.parseInt(peer.address()));
    }

    @Override
    public String scheme() {
        return scheme(world);
    }

    @Override
    public Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler) {
        Scheduler.alive(daemon);
        Kernel kernel = kernel(peer).orElseThrow(() -> new Violation("nobody was ever at " + peer));
        Wire wire = new Wire(world, daemon, kernel, handler);
        long now = world.scheduler().now();
        world.scheduler().after(deadline.toNanos(), daemon, () -> giveUp(wire, deadline));
        if (!kernel.line.cut(now)) {
            world.scheduler().after(kernel.line.delayNanos(now, world.network()), daemon, () -> arrive(wire, kernel));
        }
        return wire;
    }

    private static void giveUp(Wire wire, Duration deadline) {
        if (!wire.isOpen()) {
            wire.closed("nobody has answered within " + deadline.toMillis() + " ms");
        }
    }

    private void arrive(Wire wire, Kernel kernel) {
        long now = world.scheduler().now();
        if (kernel.runs() && kernel.life.pausedAt(now)) {
            long left = kernel.life.pausedUntilNanos() - now;
            world.scheduler().after(left, daemon, () -> arrive(wire, kernel));
        } else if (kernel.listens(now)) {
            wire.open();
        } else if (kernel.runs() || kernel.loud) {
            wire.closed("refused");
        }
    }

    @Override
    public CompletableFuture<Reach> probe(Endpoint peer, Duration deadline) {
        Scheduler.alive(daemon);
        Kernel kernel = kernel(peer).orElseThrow(() -> new Violation("nobody was ever at " + peer));
        world.judge().asked(kernel);
        CompletableFuture<Reach> reach = new CompletableFuture<>();
        long now = world.scheduler().now();
        world.scheduler().after(deadline.toNanos(), daemon, () -> reach.complete(Reach.SILENT));
        if (!kernel.line.cut(now)) {
            long delay = 2 * kernel.line.delayNanos(now, world.network());
            world.scheduler().after(delay, daemon, () -> {
                if (kernel.runs() && !kernel.life.pausedAt(world.scheduler().now())) {
                    reach.complete(Reach.ANSWERS);
                } else if (!kernel.runs() && kernel.loud) {
                    reach.complete(Reach.GONE);
                }
            });
        }
        return reach;
    }
}
