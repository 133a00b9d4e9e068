// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.MemoryFile;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.vmcore.memory.Extent;
import org.kmorph.vmcore.memory.PhysicalMemory;
import org.kmorph.vmcore.memory.RangedMemory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Does what {@link Sharing} says: speaks with the survivors, and gathers what they read. One thread. */
final class Gathering implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(Gathering.class);

    /** How often the progress is told at least. */
    private static final long TELL_MILLIS = 50;

    private static final int PIECE = 1 << 20;

    private final UUID operation = UUID.randomUUID();
    private final Instance dead;
    private final List<MemoryRange> memory;
    private final Gathered gathered;
    private final long bytesPerSecond;
    private final Vmcores.Progress progress;
    private final Map<String, Survivor> survivors = new LinkedHashMap<>();
    private final Map<String, ShareStream> streams = new HashMap<>();
    private final Map<String, Long> bytesOf = new LinkedHashMap<>();
    private final BlockingQueue<Survivor.Arrival> arrivals = new LinkedBlockingQueue<>();
    private final List<String> notes = new ArrayList<>();
    private Sharing sharing;
    private long done;
    private long here;

    /**
     * @param memory where the daemon would read it itself
     * @param gathered where it is gathered
     * @param bytesPerSecond that each survivor reads at most, well above {@link Sharing#LEAST_BYTES_PER_MILLI}
     */
    Gathering(
            KmpClient client,
            Instance dead,
            List<Instance> survivors,
            List<MemoryRange> memory,
            Gathered gathered,
            long bytesPerSecond,
            Vmcores.Progress progress) {
        this.bytesPerSecond = bytesPerSecond;
        this.dead = dead;
        this.memory = memory;
        this.gathered = gathered;
        this.progress = progress;
        survivors.forEach(one -> this.survivors.put(one.name(), new Survivor(client, one, arrivals)));
    }

    /**
     * Gathers all of it.
     *
     * @return what is good to know
     * @throws IOException when some cannot be had from anybody, or the progress ends it
     */
    List<String> run() throws IOException, InterruptedException {
        follow(Sharing.begin(Runs.of(memory, survivors.size()), survivors.keySet(), now()));
        goOn();
        Sample sample = new Sample(memory, gathered);
        for (List<String> liars = liars(sample); !liars.isEmpty(); liars = liars(sample)) {
            for (String liar : liars) {
                follow(sharing.on(new Sharing.Event.Lied(liar, "what it sent is not what is in the memory"), now()));
            }
            goOn();
        }
        sample.note().ifPresent(notes::add);
        bytesOf.forEach((name, bytes) -> notes.add(name + " read " + bytes + " bytes of the memory"));
        if (here > 0) {
            notes.add("the daemon read " + here + " bytes of the memory itself");
        }
        return List.copyOf(notes);
    }

    private List<String> liars(Sample sample) throws IOException {
        return dead.state() == InstanceState.RUNNING ? List.of() : sample.liars(sharing.sent());
    }

    private void goOn() throws IOException, InterruptedException {
        while (!sharing.over()) {
            long now = now();
            long due = sharing.dueMillis().orElse(now + TELL_MILLIS);
            Survivor.Arrival arrival =
                    arrivals.poll(Math.max(0, Math.min(due - now, TELL_MILLIS)), TimeUnit.MILLISECONDS);
            if (arrival != null) {
                take(arrival);
            }
            if (now() >= due) {
                follow(sharing.on(new Sharing.Event.Passed(), now()));
            }
            tell();
        }
    }

    private void tell() {
        progress.update(Math.min(done, gathered.bytes()), 2 * gathered.bytes());
    }

    private void take(Survivor.Arrival arrival) throws IOException, InterruptedException {
        String name = arrival.from().name();
        if (arrival instanceof Survivor.Arrival.Data data) {
            data(name, data);
            data.from().taken(data.data().chunk().data().remaining());
        } else if (arrival instanceof Survivor.Arrival.Complete complete) {
            complete(name, complete);
            complete.from().taken(0);
        } else if (arrival instanceof Survivor.Arrival.Lied lied) {
            follow(sharing.on(new Sharing.Event.Lied(name, lied.why()), now()));
        } else if (arrival instanceof Survivor.Arrival.Gone gone && gone.from().isLatest(gone.start())) {
            follow(sharing.on(new Sharing.Event.Lost(name, gone.why()), now()));
        }
    }

    /** The stream that a message is of, if it is of one that is still wanted. */
    private Optional<ShareStream> stream(String name, UUID of, long share) {
        return sharing.share(name)
                .filter(own -> of.equals(operation) && own.number() == share)
                .map(own -> streams.get(name));
    }

    private void data(String name, Survivor.Arrival.Data arrival) throws IOException, InterruptedException {
        Optional<ShareStream> stream =
                stream(name, arrival.data().operation(), arrival.data().share());
        if (stream.isEmpty()) {
            arrival.reply().error(ErrorCode.UNKNOWN_OPERATION, 0, "this share is not wanted any more");
            return;
        }
        long before = stream.get().received();
        if (arrival.data().streamOffset() > before) {
            arrival.reply().error(ErrorCode.WRONG_STATE, before, "a chunk is missing before this one");
            follow(sharing.on(new Sharing.Event.Lied(name, "it leaves out a part of its share"), now()));
            return;
        }
        try {
            List<Extent> unreadable = stream.get().take(arrival.data(), gathered::write);
            long received = stream.get().received();
            count(name, received - before);
            follow(sharing.on(new Sharing.Event.Received(name, received, unreadable), now()));
            arrival.reply()
                    .answer(new Acknowledgement(
                            MessageType.VMCORE_DATA_ANSWER,
                            operation,
                            OperationState.CAPTURING,
                            Verdict.NONE,
                            received,
                            0,
                            Survivor.WINDOW_BYTES,
                            List.of()));
        } catch (LieException e) {
            arrival.reply().error(ErrorCode.MALFORMED, 0, e.getMessage());
            follow(sharing.on(new Sharing.Event.Lied(name, e.getMessage()), now()));
        }
    }

    private void count(String name, long bytes) {
        done += bytes;
        bytesOf.merge(name, bytes, Long::sum);
    }

    private void complete(String name, Survivor.Arrival.Complete arrival) throws IOException, InterruptedException {
        Optional<ShareStream> stream =
                stream(name, arrival.complete().operation(), arrival.complete().share());
        if (stream.isPresent()) {
            try {
                stream.get().check(arrival.complete());
                follow(sharing.on(new Sharing.Event.Finished(name), now()));
            } catch (LieException e) {
                arrival.reply().error(ErrorCode.DIGEST_MISMATCH, stream.get().number(), e.getMessage());
                follow(sharing.on(new Sharing.Event.Lied(name, e.getMessage()), now()));
                return;
            }
        }
        arrival.reply()
                .answer(new OperationAnswer(
                        MessageType.VMCORE_COMPLETE_ANSWER,
                        arrival.complete().operation(),
                        OperationState.COMPLETE,
                        Verdict.NONE,
                        List.of()));
    }

    private void follow(Sharing.Step step) throws IOException, InterruptedException {
        sharing = step.sharing();
        for (Sharing.Action action : step.actions()) {
            if (action instanceof Sharing.Action.Start start) {
                start(start);
            } else if (action instanceof Sharing.Action.Stop stop) {
                survivors.get(stop.survivor()).stop(operation, stop.share());
            } else if (action instanceof Sharing.Action.Dismiss dismiss) {
                survivors.get(dismiss.survivor()).close();
                LOG.warn("{} reads no more of the memory of {}: {}", dismiss.survivor(), dead.name(), dismiss.why());
                notes.add(dismiss.survivor() + " reads no more of the memory: " + dismiss.why());
            } else if (action instanceof Sharing.Action.Forget forget) {
                forget(forget.run());
            } else if (action instanceof Sharing.Action.ReadHere read) {
                readHere(read.run());
            }
        }
    }

    private void start(Sharing.Action.Start start) {
        if (start.offset() == 0) {
            streams.put(start.survivor(), new ShareStream(start.share(), start.run()));
        }
        List<Item> items = new ArrayList<>();
        items.add(new org.kmorph.kmp.item.MemoryRange(
                start.run().start(), start.run().length(), Limits.NO_INSTANCE));
        for (MemoryRange range : memory) {
            items.add(new MemoryFile(
                    range.physicalAddress(),
                    range.length(),
                    range.fileOffset(),
                    range.file().toAbsolutePath().toString()));
        }
        survivors
                .get(start.survivor())
                .start(operation, dead.id(), start.share(), start.offset(), bytesPerSecond, items);
    }

    /** It will come again, from somebody else. */
    private void forget(Extent run) throws IOException {
        done = Math.max(0, done - run.length());
        gathered.clear(run);
    }

    private void readHere(Extent run) throws IOException, InterruptedException {
        ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE, run.length()));
        byte[] page = new byte[PhysicalMemory.PAGE];
        try (RangedMemory own = new RangedMemory(memory)) {
            for (long at = run.start(); at < run.end(); at += PIECE) {
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                own.read(at, piece.clear().limit((int) Math.min(PIECE, run.end() - at)));
                for (int i = 0; i < piece.limit(); i += page.length) {
                    piece.get(i, page);
                    if (!Runs.isZero(page)) {
                        gathered.write(at + i, ByteBuffer.wrap(page));
                    }
                }
                here += piece.limit();
                done += piece.limit();
                tell();
            }
        }
    }

    private static long now() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    /** Nobody reads any more. */
    @Override
    public void close() {
        if (sharing != null) {
            survivors.forEach((name, survivor) ->
                    sharing.share(name).ifPresent(share -> survivor.stop(operation, share.number())));
        }
        survivors.values().forEach(Survivor::close);
    }
}
