// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.kmorph.api.instance.Instance;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.message.VmcoreComplete;
import org.kmorph.kmp.message.VmcoreData;
import org.kmorph.kmp.message.VmcoreStart;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.Reply;
import org.kmorph.kmpclient.SessionListener;

/**
 * One survivor, and what comes from it, for the thread that gathers. What waits for that thread is bounded: a survivor that sends more
 * than it may is cut off.
 */
final class Survivor implements SessionListener {
    /** What may be on its way, or wait here. */
    static final int WINDOW_BYTES = 4 << 20;

    /** Messages that wait here; an agent of ours has no more than 17 unanswered for a share. */
    private static final int MOST_WAITING = 64;

    private static final Duration START = Duration.ofSeconds(5);
    private static final Duration STOP = Duration.ofSeconds(1);

    /** What comes from it. */
    sealed interface Arrival {
        Survivor from();

        /** A chunk; its data is a copy. */
        record Data(Survivor from, VmcoreData data, Reply reply) implements Arrival {}

        record Complete(Survivor from, VmcoreComplete complete, Reply reply) implements Arrival {}

        /** @param start which request for a share this is about */
        record Gone(Survivor from, int start, String why) implements Arrival {}

        record Lied(Survivor from, String why) implements Arrival {}
    }

    private final Instance instance;
    private final KmpSession session;
    private final Queue<Arrival> arrivals;
    private final AtomicLong waitingBytes = new AtomicLong();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger starts = new AtomicInteger();
    private final AtomicBoolean cutOff = new AtomicBoolean();

    /** @param arrivals thread-safe */
    Survivor(KmpClient client, Instance instance, Queue<Arrival> arrivals) {
        this.instance = instance;
        this.arrivals = arrivals;
        session = client.open(instance.endpoint().orElseThrow(), instance.id(), this);
    }

    String name() {
        return instance.name();
    }

    /** Whether a loss is of the request that was made last. */
    boolean isLatest(int start) {
        return start == starts.get();
    }

    /** Asks for a share, once: what is lost meanwhile arrives as {@link Arrival.Gone}. */
    void start(UUID operation, long dead, long share, long offset, long bytesPerSecond, List<Item> items) {
        int start = starts.incrementAndGet();
        VmcoreStart request =
                new VmcoreStart(operation, dead, share, WINDOW_BYTES, Compression.NONE, offset, bytesPerSecond, items);
        session.requestOnce(request, Acknowledgement.class, START).whenComplete((answer, failure) -> {
            if (failure != null) {
                arrivals.add(new Arrival.Gone(this, start, failure.getMessage()));
            } else if (answer.streamOffset() != offset) {
                arrivals.add(new Arrival.Lied(
                        this, "it goes on at " + answer.streamOffset() + " where it was asked for " + offset));
            }
        });
    }

    /** Says that a share is not wanted any more. It may not come to that: then it ends with the connection. */
    void stop(UUID operation, long share) {
        session.requestOnce(
                new VmcoreComplete(operation, share, Outcome.CANCELLED, 0, 0, List.of()), OperationAnswer.class, STOP);
    }

    void close() {
        session.close();
    }

    /** An arrival is dealt with. */
    void taken(long bytes) {
        waitingBytes.addAndGet(-bytes);
        waiting.decrementAndGet();
    }

    @Override
    public void lost(String why) {
        arrivals.add(new Arrival.Gone(this, starts.get(), why));
    }

    @Override
    public void request(Message request, Reply reply) {
        if (request instanceof VmcoreData data) {
            int bytes = data.chunk().data().remaining();
            if (mayWait(bytes)) {
                arrivals.add(new Arrival.Data(this, copy(data), reply));
            }
        } else if (request instanceof VmcoreComplete complete) {
            if (mayWait(0)) {
                arrivals.add(new Arrival.Complete(this, complete, reply));
            }
        } else {
            reply.error(ErrorCode.UNKNOWN_OPERATION, 0, "no state is asked for here");
        }
    }

    private boolean mayWait(int bytes) {
        if (waitingBytes.addAndGet(bytes) <= WINDOW_BYTES + Limits.MAX_CHUNK_BYTES
                && waiting.incrementAndGet() <= MOST_WAITING) {
            return true;
        }
        if (cutOff.compareAndSet(false, true)) {
            arrivals.add(new Arrival.Lied(this, "it sends more than its window of " + WINDOW_BYTES + " bytes lets it"));
            session.close();
        }
        return false;
    }

    private static VmcoreData copy(VmcoreData data) {
        Chunk chunk = data.chunk();
        ByteBuffer bytes = ByteBuffer.allocate(chunk.data().remaining());
        bytes.put(chunk.data().duplicate()).flip();
        return new VmcoreData(
                data.operation(),
                data.share(),
                data.streamOffset(),
                new Chunk(chunk.last(), chunk.compressed(), chunk.extents(), bytes),
                List.of());
    }
}
