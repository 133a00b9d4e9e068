// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongFunction;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.kmp.item.Capabilities;
import org.kmorph.kmp.item.Capability;
import org.kmorph.kmp.item.Digest;
import org.kmorph.kmp.item.DigestAlgorithm;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.MemoryFile;
import org.kmorph.kmp.item.MemoryRange;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.Outcome;
import org.kmorph.kmp.message.VmcoreComplete;
import org.kmorph.kmp.message.VmcoreData;
import org.kmorph.kmp.message.VmcoreStart;
import org.kmorph.kmp.message.WorkloadState;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.Reply;
import org.kmorph.kmpclient.SessionListener;

/** An agent that survives, in this process, which reads the memory's file as it is told, or does what none of ours would. */
final class FakeSurvivor implements KmpSession {
    static final int PAGE = 4096;
    private static final int PAGES_AT_ONCE = 16;

    /** What it does. */
    enum Manner {
        HONEST,
        /** Its second share ends in the middle, and so does it. */
        DIES,
        /** Loses its connection in the middle, and goes on. */
        RECONNECTS,
        /** Sends pages of another place than it says. */
        WRONG_PAGES,
        /** The extents lie elsewhere than was asked. */
        WRONG_PLACE,
        /** One page more than was asked. */
        TOO_MUCH,
        /** Parts of pages. */
        TORN_PAGES,
        WRONG_DIGEST,
        NO_DIGEST,
        /** Says that it is done when it is not. */
        TOO_EARLY,
        PACKED,
        /** Leaves a chunk out. */
        GAP,
        /** Waits for no acknowledgement. */
        FLOODS,
        /** Talks of a share that nobody asked for, and then is honest. */
        OTHER_SHARE,
        /** Can read nothing. */
        BLIND,
        /** Can read every other page. */
        HALF_BLIND,
        /** Says that it sees no memory but its own. */
        SEES_ITS_OWN,
        /** Answers that it goes on elsewhere. */
        WRONG_START
    }

    private final Endpoint endpoint;
    private final Manner manner;
    private final SessionListener listener;
    private final LongFunction<Manner> changing;
    private volatile boolean closed;
    private volatile boolean dead;
    private volatile MessageDigest digest;
    private int starts;

    FakeSurvivor(Endpoint endpoint, Manner manner, SessionListener listener) {
        this.endpoint = endpoint;
        this.manner = manner;
        this.listener = listener;
        this.changing = start -> manner == Manner.DIES && start < 2 ? Manner.HONEST : manner;
    }

    @Override
    public Endpoint peer() {
        return endpoint;
    }

    @Override
    public boolean connected() {
        return !closed && !dead;
    }

    @Override
    public <A extends Message> CompletableFuture<A> request(Message request, Class<A> answer, Duration deadline) {
        throw new UnsupportedOperationException("a share is asked for once");
    }

    @Override
    public <A extends Message> CompletableFuture<A> requestOnce(Message request, Class<A> answer, Duration deadline) {
        if (dead || closed) {
            return CompletableFuture.failedFuture(new IOException("connection refused"));
        }
        if (request instanceof HeartbeatRequest) {
            long can = manner == Manner.SEES_ITS_OWN ? Capability.RECOVER : Capability.RECOVER | Capability.VMCORE;
            return CompletableFuture.completedFuture(answer.cast(new HeartbeatAnswer(
                    1,
                    AgentState.READY,
                    WorkloadState.RUNNING,
                    1,
                    1,
                    1,
                    1,
                    1,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    List.of(new Capabilities(can)))));
        }
        if (request instanceof VmcoreStart start) {
            Manner now = changing.apply(++starts);
            long offset = now == Manner.WRONG_START ? PAGE : start.streamOffset();
            Thread thread = new Thread(() -> send(start, now), "survivor-" + endpoint.address());
            thread.setDaemon(true);
            thread.start();
            return CompletableFuture.completedFuture(answer.cast(new Acknowledgement(
                    MessageType.VMCORE_START_ANSWER,
                    start.operation(),
                    OperationState.CAPTURING,
                    Verdict.NONE,
                    offset,
                    0,
                    0,
                    List.of())));
        }
        VmcoreComplete cancel = (VmcoreComplete) request;
        return CompletableFuture.completedFuture(answer.cast(new OperationAnswer(
                MessageType.VMCORE_COMPLETE_ANSWER,
                cancel.operation(),
                OperationState.COMPLETE,
                Verdict.NONE,
                List.of())));
    }

    @Override
    public boolean heartbeat(int wants) {
        return false;
    }

    @Override
    public void reset(String why) {
        listener.lost(why);
    }

    @Override
    public void close() {
        closed = true;
    }

    private void send(VmcoreStart start, Manner now) {
        try {
            MemoryRange run = Items.first(start.items(), MemoryRange.class).orElseThrow();
            if (start.streamOffset() == 0) {
                digest = MessageDigest.getInstance("SHA-256");
            }
            long offset = start.streamOffset();
            while (offset < run.length() && !closed) {
                long next = Math.min(run.length(), offset + PAGES_AT_ONCE * PAGE);
                boolean half = next > run.length() / 2;
                if (now == Manner.DIES && half || now == Manner.RECONNECTS && half && starts == 1) {
                    dead = now == Manner.DIES;
                    listener.lost("the connection was reset");
                    return;
                }
                if (now == Manner.TOO_EARLY && half) {
                    break;
                }
                if (now == Manner.GAP && half) {
                    offset = next;
                    next += PAGE;
                }
                Chunk chunk = chunk(start, run, offset, next, now);
                say(start, now == Manner.OTHER_SHARE ? start.share() + 100 : start.share(), offset, chunk, now);
                if (now == Manner.OTHER_SHARE) {
                    say(start, start.share(), offset, chunk, now);
                }
                offset = next;
            }
            if (!closed) {
                end(start, run.length(), now);
            }
        } catch (IOException | NoSuchAlgorithmException | InterruptedException | ExecutionException e) {
            listener.lost(e.toString());
        } catch (TimeoutException e) {
            // it is not listened to any more
        }
    }

    private Chunk chunk(VmcoreStart start, MemoryRange run, long from, long to, Manner now) throws IOException {
        ByteBuffer data = ByteBuffer.allocate((int) (to - from) + PAGE);
        List<Extent> extents = new ArrayList<>();
        for (long at = from; at < to; at += PAGE) {
            long address = run.start() + at;
            byte[] page = page(start, now == Manner.WRONG_PAGES && at % (5 * PAGE) == 0 ? address + PAGE : address);
            if (now == Manner.BLIND || now == Manner.HALF_BLIND && at % (2 * PAGE) == 0) {
                extents.add(new Extent(address, PAGE, Extent.Content.UNREADABLE));
            } else if (Arrays.equals(page, new byte[PAGE])) {
                extents.add(new Extent(address, PAGE, Extent.Content.ZERO));
            } else if (now == Manner.TORN_PAGES) {
                extents.add(new Extent(address, PAGE / 2, Extent.Content.BYTES));
                extents.add(new Extent(address + PAGE / 2, PAGE / 2, Extent.Content.BYTES));
                data.put(page);
            } else {
                extents.add(new Extent(
                        now == Manner.WRONG_PLACE ? address ^ 1L << 33 : address, PAGE, Extent.Content.BYTES));
                data.put(page);
            }
        }
        if (now == Manner.TOO_MUCH && to == run.length()) {
            extents.add(new Extent(run.start() + to, PAGE, Extent.Content.ZERO));
        }
        data.flip();
        Chunk chunk = new Chunk(to == run.length(), now == Manner.PACKED, extents, data);
        add(chunk);
        return chunk;
    }

    private static byte[] page(VmcoreStart start, long address) throws IOException {
        for (MemoryFile file : Items.all(start.items(), MemoryFile.class)) {
            if (address >= file.start() && address < file.start() + file.length()) {
                try (RandomAccessFile open = new RandomAccessFile(file.path(), "r")) {
                    byte[] page = new byte[PAGE];
                    open.seek(file.offset() + address - file.start());
                    open.readFully(page);
                    return page;
                }
            }
        }
        return new byte[PAGE];
    }

    private void add(Chunk chunk) {
        ByteBuffer data = chunk.data().duplicate();
        for (Extent extent : chunk.extents()) {
            digest.update(ByteBuffer.allocate(16)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(extent.offset())
                    .putInt((int) extent.length())
                    .putInt(extent.content().code())
                    .array());
            if (extent.content() == Extent.Content.BYTES) {
                digest.update(data.slice(data.position(), (int) extent.length()));
                data.position(data.position() + (int) extent.length());
            }
        }
    }

    private void say(VmcoreStart start, long share, long offset, Chunk chunk, Manner now)
            throws InterruptedException, ExecutionException, TimeoutException {
        Answer answer = new Answer();
        int times = now == Manner.FLOODS ? 1000 : 1;
        for (int i = 0; i < times && !closed; i++) {
            listener.request(new VmcoreData(start.operation(), share, offset, chunk, List.of()), answer);
        }
        if (now != Manner.FLOODS) {
            answer.come.get(5, TimeUnit.SECONDS);
        }
    }

    private void end(VmcoreStart start, long length, Manner now)
            throws InterruptedException, ExecutionException, TimeoutException {
        byte[] value = digest.digest();
        if (now == Manner.WRONG_DIGEST) {
            value[7] ^= 1;
        }
        List<org.kmorph.kmp.item.Item> items = now == Manner.NO_DIGEST
                ? List.of()
                : List.of(new Digest(start.share(), 0, DigestAlgorithm.SHA256, ByteBuffer.wrap(value)));
        Answer answer = new Answer();
        listener.request(new VmcoreComplete(start.operation(), start.share(), Outcome.DONE, length, 0, items), answer);
        answer.come.get(5, TimeUnit.SECONDS);
    }

    private static final class Answer implements Reply {
        private final CompletableFuture<String> come = new CompletableFuture<>();

        @Override
        public void answer(Message answer) {
            come.complete("answered");
        }

        @Override
        public void error(int code, long value, String text) {
            come.complete(text);
        }

        @Override
        public void retry(int code, long delayMillis, String text) {
            come.complete(text);
        }
    }
}
