// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.ByteBuffer;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.ConnectionHandler;

/**
 * A connection between a daemon and an agent: two streams of sends, each of which arrives whole, if it arrives. What the line does to them
 * no real stream would do on its way; a broken peer or a broken ring can.
 */
final class Wire implements Connection {
    /** What may be under way in one direction: beyond it the sender is refused, as by a full socket. */
    private static final int ROOM = 64 * 1024;

    private final World world;
    private final Life daemon;
    private final Kernel kernel;
    private final ConnectionHandler handler;
    private AgentEnd agent;
    private boolean open;
    private boolean closed;
    private boolean refused;
    private int heard;
    private int toAgentBytes;
    private long toAgentNanos;
    private long toDaemonNanos;

    Wire(World world, Life daemon, Kernel kernel, ConnectionHandler handler) {
        this.world = world;
        this.daemon = daemon;
        this.kernel = kernel;
        this.handler = handler;
    }

    /** The agent has accepted it. */
    void open() {
        if (!closed && !open) {
            open = true;
            agent = new AgentEnd(world, kernel, this);
            kernel.wires.add(this);
            handler.opened(this);
        }
    }

    @Override
    public boolean send(ByteBuffer bytes) {
        Scheduler.alive(daemon);
        if (!open || closed || toAgentBytes + bytes.remaining() > ROOM) {
            refused = open && !closed;
            return false;
        }
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        toAgentBytes += copy.length;
        toAgentNanos = carry(copy, toAgentNanos, kernel.life, arrived -> {
            toAgentBytes -= copy.length;
            if (agent != null) {
                agent.received(arrived);
            }
            makeRoom();
        });
        return true;
    }

    private void makeRoom() {
        if (refused && toAgentBytes * 2 < ROOM) {
            refused = false;
            world.scheduler().after(0, daemon, () -> {
                if (open && !closed) {
                    handler.writable(this);
                }
            });
        }
    }

    /** The agent sends. @param heartbeat whether that is what it answers */
    void toDaemon(ByteBuffer bytes, boolean heartbeat) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        toDaemonNanos = carry(copy, toDaemonNanos, daemon, arrived -> {
            if (open && !closed) {
                heard += heartbeat ? 1 : 0;
                // the first on a connection may be to somebody else who has asked once
                kernel.heardNanos = heartbeat && heard > 1 ? world.scheduler().now() : kernel.heardNanos;
                handler.received(this, ByteBuffer.wrap(arrived));
            }
        });
    }

    /** Takes bytes to the other side. @return when they arrive, which later ones do not overtake */
    private long carry(byte[] bytes, long notBefore, Life to, java.util.function.Consumer<byte[]> arrive) {
        Line line = kernel.line;
        long now = world.scheduler().now();
        Dice dice = world.network();
        boolean bad = line.bad(now);
        if (line.cut(now) || bad && dice.chance(line.loss)) {
            toAgentBytes -= to == daemon ? 0 : bytes.length;
            return notBefore;
        }
        byte[] carried = bad && dice.chance(line.garbage) ? garbled(bytes, dice) : bytes;
        long at = now + line.delayNanos(now, dice);
        if (!bad || !dice.chance(line.reorder)) {
            at = Math.max(at, notBefore);
        }
        world.scheduler().after(at - now, to, () -> arrive.accept(carried));
        if (bad && dice.chance(line.duplicate)) {
            toAgentBytes += to == daemon ? 0 : bytes.length;
            world.scheduler().after(at - now + 1, to, () -> arrive.accept(carried));
        }
        return at;
    }

    private static byte[] garbled(byte[] bytes, Dice dice) {
        byte[] garbled = bytes.clone();
        garbled[dice.between(0, bytes.length - 1)] ^= (byte) (1 << dice.between(0, 7));
        return dice.chance(0.5) ? garbled : java.util.Arrays.copyOf(garbled, dice.between(1, bytes.length));
    }

    /** The agent's side is gone; the daemon is told, if that can be seen. */
    void breakOff(String why, boolean seen) {
        agent = null;
        if (seen && !kernel.line.cut(world.scheduler().now())) {
            long delay = kernel.line.delayNanos(world.scheduler().now(), world.network());
            world.scheduler().after(delay, daemon, () -> closed(why));
        }
    }

    /** It is over for the daemon, which is told. */
    void closed(String why) {
        if (!closed) {
            closed = true;
            kernel.wires.remove(this);
            handler.closed(this, why);
        }
    }

    @Override
    public void close(String why) {
        Scheduler.alive(daemon);
        closed(why);
    }

    boolean isOpen() {
        return open;
    }

    boolean isOver() {
        return closed;
    }
}
