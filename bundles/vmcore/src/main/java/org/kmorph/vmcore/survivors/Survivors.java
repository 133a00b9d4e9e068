// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.kmp.item.Capabilities;
import org.kmorph.kmp.item.Capability;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.Want;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;
import org.kmorph.vmcore.capture.MemorySource;

/** Those who survive an instance and can read its memory. Thread-safe. */
public final class Survivors {
    private static final Duration ASK = Duration.ofSeconds(2);

    private final Supplier<KmpClient> client;

    public Survivors(Supplier<KmpClient> client) {
        this.client = client;
    }

    /**
     * Who can read a memory, and who cannot.
     *
     * @param able in the order of their ids
     * @param unable why each of the others cannot, for people
     */
    public record Found(List<Instance> able, List<String> unable) {
        public Found {
            able = List.copyOf(able);
            unable = List.copyOf(unable);
        }
    }

    /** Asks all others that run. Takes 2 s at most. */
    public Found find(List<Instance> all, Instance dead) throws InterruptedException {
        Map<Instance, KmpSession> sessions = new LinkedHashMap<>();
        Map<Instance, CompletableFuture<HeartbeatAnswer>> answers = new LinkedHashMap<>();
        List<Instance> able = new ArrayList<>();
        List<String> unable = new ArrayList<>();
        try {
            for (Instance one : all) {
                if (one.id() != dead.id()
                        && one.state() == InstanceState.RUNNING
                        && one.endpoint().isPresent()) {
                    KmpSession session =
                            client.get().open(one.endpoint().get(), one.id(), ASK, new SessionListener() {});
                    sessions.put(one, session);
                    answers.put(
                            one,
                            session.requestOnce(
                                    new HeartbeatRequest(Want.CAPABILITIES, List.of()), HeartbeatAnswer.class, ASK));
                }
            }
            for (Map.Entry<Instance, CompletableFuture<HeartbeatAnswer>> answer : answers.entrySet()) {
                sort(answer.getKey(), answer.getValue(), able, unable);
            }
        } finally {
            sessions.values().forEach(KmpSession::close);
        }
        return new Found(able, unable);
    }

    private static void sort(
            Instance one, CompletableFuture<HeartbeatAnswer> answer, List<Instance> able, List<String> unable)
            throws InterruptedException {
        try {
            long can = Items.first(answer.get().items(), Capabilities.class)
                    .map(Capabilities::bits)
                    .orElse(0L);
            if ((can & Capability.VMCORE) != 0) {
                able.add(one);
            } else {
                unable.add(one.name() + " (" + one.spec().host() + ") sees no memory but its own");
            }
        } catch (ExecutionException e) {
            unable.add(one.name() + " does not answer: " + e.getCause().getMessage());
        }
    }

    /**
     * A memory that survivors read, each a part at a time; what none of them can is read by the daemon.
     *
     * @param memory where it lies
     * @param bytesPerSecond that each reads at most
     * @param directory in which it is gathered, in a file as long as it is, of which its zeros take no room
     */
    public MemorySource memory(
            Instance dead, List<Instance> survivors, List<MemoryRange> memory, Path directory, long bytesPerSecond) {
        return progress -> gather(dead, survivors, memory, directory, bytesPerSecond, progress);
    }

    private MemorySource.Held gather(
            Instance dead,
            List<Instance> survivors,
            List<MemoryRange> memory,
            Path directory,
            long bytesPerSecond,
            Vmcores.Progress progress)
            throws IOException, InterruptedException {
        Gathered gathered = new Gathered(directory, memory);
        boolean whole = false;
        try (Gathering gathering =
                new Gathering(client.get(), dead, survivors, memory, gathered, bytesPerSecond, progress)) {
            List<String> notes = gathering.run();
            whole = true;
            return new Brought(gathered, notes);
        } catch (ClosedByInterruptException e) {
            throw new InterruptedException();
        } catch (java.io.UncheckedIOException e) {
            throw new IOException(e.getCause().getMessage(), e);
        } finally {
            if (!whole) {
                gathered.close();
            }
        }
    }

    private record Brought(Gathered file, List<String> notes) implements MemorySource.Held {
        @Override
        public List<MemoryRange> ranges() {
            return file.ranges();
        }

        @Override
        public long gathered() {
            return file.bytes();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
