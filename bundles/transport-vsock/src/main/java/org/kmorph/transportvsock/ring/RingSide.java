// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

import java.nio.ByteBuffer;
import java.util.function.IntSupplier;
import org.kmorph.transportvsock.stream.Header;

/**
 * One side of a link: sessions, and the frames of a session, by the rules of {@code kernel/include/kerf_ring.h}. No I/O, no clock, no
 * thread of its own: its owner calls it from one thread, on every doorbell and at least once in {@link #LOOK_MS}. Nothing that the other
 * writes is trusted.
 */
public final class RingSide {
    /** How often to call {@link #look} at least, in milliseconds. */
    public static final long LOOK_MS = Layout.LOOK_MS;

    /** Most bytes of shared memory that a link can have. */
    public static final long MOST_BYTES = Layout.SHM_MAX_BYTES;

    private final int shmBytes;
    private final int side;
    private final int id;
    private final Words own;
    private final Words other;
    private final Doorbell bell;
    private final IntSupplier random;
    private final RingListener listener;
    private final Producer producer;
    private final Consumer consumer;
    private int generation;
    private int acknowledged;
    private boolean up;
    private boolean violated;
    private boolean started;
    private int misfit;
    private int pings;
    private int pongSeen;
    private long startedAt;

    /**
     * @param memory all of the link's
     * @param side 0 for the host, 1 for an instance
     * @param id the instance's
     * @param bell of the other side
     * @param random of generations
     * @throws IllegalArgumentException when the memory has a size that no link has
     */
    public RingSide(ByteBuffer memory, int side, int id, Doorbell bell, IntSupplier random, RingListener listener) {
        shmBytes = memory.capacity();
        if (Integer.bitCount(shmBytes) != 1 || shmBytes < Layout.SHM_MIN_BYTES || shmBytes > Layout.SHM_MAX_BYTES) {
            throw new IllegalArgumentException("the memory of a link has " + shmBytes
                    + " bytes; a power of two from 1 MiB to 256 MiB was expected");
        }
        this.side = side;
        this.id = id;
        this.bell = bell;
        this.random = random;
        this.listener = listener;
        own = new Words(memory, side);
        other = new Words(memory, 1 - side);
        producer = new Producer(this, memory, side, own, other);
        consumer = new Consumer(this, memory, 1 - side, own, other);
        // goes on counting where a predecessor left off, so that an answer to that one is not taken for one to this
        pings = own.get(Layout.W_PING);
        pongSeen = other.get(Layout.W_PONG);
    }

    /** Whether there is a session. */
    public boolean up() {
        return up;
    }

    /** Begins a life of this side. @param now a clock in milliseconds, that of {@link #look} */
    public void start(long now) {
        int found = own.get(Layout.W_GENERATION);
        endSession("this side starts anew");
        violated = false;
        started = true;
        startedAt = now;
        acknowledged = 0;
        own.set(Layout.W_GENERATION, 0);
        own.set(Layout.W_PEER_GENERATION, 0);
        own.set(Layout.W_PING, pings);
        own.set(Layout.W_PONG, other.get(Layout.W_PING));
        storeWords();
        do {
            generation = random.getAsInt();
        } while (generation == 0 || generation == found || generation == other.get(Layout.W_PEER_GENERATION));
        own.set(Layout.W_GENERATION, generation);
        ring(Layout.VECTOR_CONTROL);
    }

    private void storeWords() {
        own.set(Layout.W_MAGIC, Layout.MAGIC);
        own.set(Layout.W_VERSION, Layout.VERSION);
        own.set(Layout.W_SHM_BYTES, shmBytes);
        own.set(Layout.W_ID, side == 0 ? 0 : id);
        own.set(Layout.W_FEATURES, 0);
        own.set(Layout.W_VECTORS, Layout.VECTORS);
        producer.reset();
        consumer.reset();
    }

    /** Looks at what the other has done to the session and the probe. */
    public void look(long now) {
        if (!started) {
            return;
        }
        if (violated) {
            if (now - startedAt < Layout.VIOLATION_PAUSE_MS) {
                return;
            }
            start(now);
        }
        if (!own.untouched()) {
            violation("the words of this side were overwritten");
            return;
        }
        answerPing();
        lookAtGenerations(now);
        int pong = other.get(Layout.W_PONG);
        if (pong != pongSeen && other.get(Layout.W_GENERATION) != 0) {
            pongSeen = pong;
            listener.pong(pong);
        }
    }

    private void answerPing() {
        int ping = other.get(Layout.W_PING);
        if (ping != own.get(Layout.W_PONG)) {
            own.set(Layout.W_PONG, ping);
            ring(Layout.VECTOR_CONTROL);
        }
    }

    private void lookAtGenerations(long now) {
        int seen = other.get(Layout.W_GENERATION);
        if (seen == 0) {
            if (acknowledged != 0) {
                acknowledged = 0;
                own.set(Layout.W_PEER_GENERATION, 0);
                endSession("the kernel's side of the link is down");
            }
            return;
        }
        if (seen != acknowledged) {
            endSession("the kernel's side of the link has started anew");
            if (!fits(seen)) {
                return;
            }
            storeWords();
            acknowledged = seen;
            own.set(Layout.W_PEER_GENERATION, seen);
            ring(Layout.VECTOR_CONTROL);
        }
        boolean acknowledges = other.get(Layout.W_PEER_GENERATION) == generation;
        if (!up && acknowledges) {
            up = true;
            listener.up();
        } else if (up && !acknowledges && other.get(Layout.W_GENERATION) == seen) {
            endSession("the kernel's side of the link has given the session up");
            start(now);
        }
    }

    /** Whether the other speaks this protocol over this memory; said once for each of its lives. */
    private boolean fits(int seen) {
        int otherId = other.get(Layout.W_ID);
        boolean idFits = side == 0 ? otherId == id : otherId == 0;
        boolean fits = other.get(Layout.W_MAGIC) == Layout.MAGIC
                && other.get(Layout.W_VERSION) == Layout.VERSION
                && other.get(Layout.W_SHM_BYTES) == shmBytes
                && idFits;
        if (!fits && misfit != seen) {
            misfit = seen;
            listener.remark("the other side of the link says magic "
                    + Integer.toHexString(other.get(Layout.W_MAGIC)) + ", version " + other.get(Layout.W_VERSION) + ", "
                    + Integer.toUnsignedString(other.get(Layout.W_SHM_BYTES)) + " bytes, id " + otherId + "; expected "
                    + Integer.toHexString(Layout.MAGIC) + ", version " + Layout.VERSION + ", " + shmBytes
                    + " bytes, id " + (side == 0 ? id : 0) + ": nothing is said to it");
        }
        return fits;
    }

    /**
     * Puts a frame into the ring; {@link #publish} tells the other of all that were put.
     *
     * @param payload what remains of it, at most 64 KiB; taken whole or not at all
     * @return false when there is no session, or no room: the other rings when there is
     */
    public boolean produce(Header header, ByteBuffer payload) {
        return up && producer.produce(header, payload);
    }

    /** Tells the other of the frames that were put since the last time. */
    public void publish() {
        if (up) {
            producer.publish();
        }
    }

    /**
     * Takes frames out of the ring and gives them to the listener.
     *
     * @param most how many
     * @return whether there may be more; false: the other rings when there is
     */
    public boolean consume(int most) {
        return up && consumer.consume(most, listener);
    }

    /** Asks the other whether it lives; {@link RingListener#pong} tells its answer. @return the number of this asking */
    public int ping() {
        pings++;
        if (started) {
            own.set(Layout.W_PING, pings);
            ring(Layout.VECTOR_CONTROL);
        }
        return pings;
    }

    /** Goes, and says so. {@link #start} begins again. */
    public void stop() {
        if (started) {
            started = false;
            own.set(Layout.W_GENERATION, 0);
            generation = 0;
            acknowledged = 0;
            endSession("this side of the link stops");
            ring(Layout.VECTOR_CONTROL);
        }
    }

    /** An index of the other failed a check. If it has restarted meanwhile, nothing is wrong: the next look sees it. */
    void indexViolation(String what) {
        if (other.get(Layout.W_GENERATION) == acknowledged) {
            violation(what);
        }
    }

    private void violation(String what) {
        listener.remark("the link was given up and starts anew: " + what);
        violated = true;
        own.set(Layout.W_GENERATION, 0);
        acknowledged = 0;
        endSession("the other side of the link has broken its rules: " + what);
        ring(Layout.VECTOR_CONTROL);
    }

    private void endSession(String why) {
        if (up) {
            up = false;
            listener.down(why);
        }
    }

    void ring(int vector) {
        int vectors = other.get(Layout.W_VECTORS) == Layout.VECTORS ? Layout.VECTORS : 1;
        bell.ring(Math.min(vector, vectors - 1));
    }
}
