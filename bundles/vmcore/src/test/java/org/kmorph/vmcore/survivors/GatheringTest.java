// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.survivors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.vmcore.Vmcores;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;
import org.kmorph.vmcore.capture.MemorySource;
import org.kmorph.vmcore.survivors.FakeSurvivor.Manner;

/** Whatever survivors do, what is gathered is the memory, or it is said that it is not. */
@Timeout(60)
class GatheringTest {
    private static final int LOW_PAGES = 700;
    private static final int PAGES = 5000;
    private static final long HIGH_AT = 1L << 30;

    @TempDir
    Path directory;

    private final Map<String, Manner> manners = new LinkedHashMap<>();
    private byte[] memory;
    private Path file;

    private final KmpClient client = new KmpClient() {
        @Override
        public KmpSession open(Endpoint peer, long id, Duration connectDeadline, SessionListener listener) {
            return new FakeSurvivor(peer, manners.get(peer.address()), listener);
        }
    };

    @BeforeEach
    void someOfTheMemoryIsZeros() throws IOException {
        memory = new byte[PAGES * FakeSurvivor.PAGE];
        new Random(5).nextBytes(memory);
        for (int page = 0; page < PAGES; page += 3) {
            Arrays.fill(memory, page * FakeSurvivor.PAGE, (page + 1) * FakeSurvivor.PAGE, (byte) 0);
        }
        file = Files.write(directory.resolve("memory"), memory);
    }

    private static Instance instance(int id, String name, InstanceState state) {
        return new Instance(
                id,
                InstanceSpec.watched(name, "local", Path.of("/boot/vmlinuz"), List.of()),
                state,
                Instant.EPOCH,
                "",
                id + 2L,
                "6.1",
                Optional.of(new Endpoint("unix", name)),
                List.of());
    }

    private List<MemoryRange> ranges() {
        return List.of(
                new MemoryRange(0, LOW_PAGES * 4096L, file, 0),
                new MemoryRange(HIGH_AT, (PAGES - LOW_PAGES) * 4096L, file, LOW_PAGES * 4096L));
    }

    private MemorySource.Held gather(InstanceState dead, Vmcores.Progress progress, Manner... them)
            throws IOException, InterruptedException {
        List<Instance> survivors = new ArrayList<>();
        for (Manner manner : them) {
            String name = manner.name().toLowerCase(Locale.ROOT) + survivors.size();
            manners.put(name, manner);
            survivors.add(instance(20 + survivors.size(), name, InstanceState.RUNNING));
        }
        return new Survivors(() -> client)
                .memory(instance(9, "dead", dead), survivors, ranges(), directory, 1L << 30)
                .hold(progress);
    }

    private List<String> assertGathered(Manner... them) throws IOException, InterruptedException {
        Path gathered;
        List<String> notes;
        try (MemorySource.Held held = gather(InstanceState.FENCED, (done, total) -> {}, them)) {
            gathered = held.ranges().get(0).file();
            assertThat(held.gathered()).isEqualTo(memory.length);
            assertThat(Arrays.equals(Files.readAllBytes(gathered), memory))
                    .as("what was gathered is the memory; %s", held.notes())
                    .isTrue();
            assertThat(held.ranges()).extracting(MemoryRange::physicalAddress).containsExactly(0L, HIGH_AT);
            notes = held.notes();
        }
        assertThat(gathered).doesNotExist();
        return notes;
    }

    @Test
    void twoReadAllOfItAndBothTakePart() throws Exception {
        assertThat(assertGathered(Manner.HONEST, Manner.HONEST))
                .anyMatch(note -> note.startsWith("honest0 read "))
                .anyMatch(note -> note.startsWith("honest1 read "))
                .noneMatch(note -> note.contains("daemon"));
    }

    @Test
    void theShareOfOneThatDiesIsReadByAnother() throws Exception {
        assertThat(assertGathered(Manner.HONEST, Manner.DIES))
                .anyMatch(note -> note.startsWith("dies1 reads no more"))
                .noneMatch(note -> note.contains("daemon"));
    }

    @Test
    void aLostConnectionIsMadeAgain() throws Exception {
        assertThat(assertGathered(Manner.RECONNECTS)).noneMatch(note -> note.contains("no more"));
    }

    @Test
    void whatNobodyIsLeftToReadTheDaemonReads() throws Exception {
        assertThat(assertGathered(Manner.DIES)).anyMatch(note -> note.startsWith("the daemon read "));
        assertThat(assertGathered(Manner.BLIND))
                .contains("the daemon read " + memory.length + " bytes of the memory itself");
    }

    @ParameterizedTest
    @EnumSource(
            names = {"HONEST", "DIES", "RECONNECTS", "BLIND", "OTHER_SHARE", "SEES_ITS_OWN"},
            mode = EnumSource.Mode.EXCLUDE)
    void aLiarIsFoundOutAndHarmsNobody(Manner liar) throws Exception {
        assertThat(assertGathered(Manner.HONEST, liar))
                .anyMatch(note -> note.startsWith(liar.name().toLowerCase(Locale.ROOT) + "1 reads no more"))
                .noneMatch(note -> note.startsWith("honest0 reads no more"));
    }

    @ParameterizedTest
    @EnumSource(
            names = {"HONEST", "DIES", "RECONNECTS", "BLIND", "OTHER_SHARE", "SEES_ITS_OWN"},
            mode = EnumSource.Mode.EXCLUDE)
    void aLiarAloneIsReplacedByTheDaemon(Manner liar) throws Exception {
        assertThat(assertGathered(liar)).anyMatch(note -> note.startsWith("the daemon read "));
    }

    @Test
    void whatIsOfAnotherShareIsNotTaken() throws Exception {
        assertThat(assertGathered(Manner.OTHER_SHARE)).noneMatch(note -> note.contains("no more"));
    }

    @Test
    void theMemoryOfOneThatRunsIsNotCompared() throws Exception {
        try (MemorySource.Held held = gather(InstanceState.RUNNING, (done, total) -> {}, Manner.WRONG_PAGES)) {
            assertThat(held.notes()).noneMatch(note -> note.contains("no more"));
        }
    }

    @Test
    void memoryThatNobodyCanReadIsAnErrorThatNamesIt() throws Exception {
        MemorySource source = new Survivors(() -> client)
                .memory(
                        instance(9, "dead", InstanceState.FENCED),
                        List.of(),
                        List.of(new MemoryRange(0, 4096, directory.resolve("absent"), 0)),
                        directory,
                        1L << 30);
        assertThatThrownBy(() -> source.hold((done, total) -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("absent");
        assertNothingLeft();
    }

    @Test
    void whoSeesOthersMemorySaysSoAndTheOthersAreNamed() throws Exception {
        manners.put("web", Manner.HONEST);
        manners.put("guest", Manner.SEES_ITS_OWN);
        Instance dead = instance(9, "dead", InstanceState.FENCED);
        Survivors.Found found = new Survivors(() -> client)
                .find(
                        List.of(
                                dead,
                                instance(3, "web", InstanceState.RUNNING),
                                instance(4, "guest", InstanceState.RUNNING),
                                instance(5, "held", InstanceState.HELD)),
                        dead);
        assertThat(found.able()).extracting(Instance::name).containsExactly("web");
        assertThat(found.unable()).containsExactly("guest (local) sees no memory but its own");
    }

    @Test
    void itEndsWhenItIsCancelledOrHasNoRoomOrTimeLeft() throws Exception {
        assertThatThrownBy(() -> gather(
                        InstanceState.FENCED,
                        (done, total) -> {
                            throw new UncheckedIOException(new IOException("it took longer than 5 ms"));
                        },
                        Manner.HONEST))
                .isInstanceOf(IOException.class)
                .hasMessage("it took longer than 5 ms");
        assertNothingLeft();
        assertThatThrownBy(() -> gather(
                        InstanceState.FENCED,
                        (done, total) -> Thread.currentThread().interrupt(),
                        Manner.HONEST))
                .isInstanceOf(InterruptedException.class);
        assertNothingLeft();
    }

    private void assertNothingLeft() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void progressGoesUpToTheHalf() throws Exception {
        List<Long> done = new ArrayList<>();
        gather(
                        InstanceState.FENCED,
                        (bytes, total) -> {
                            assertThat(total).isEqualTo(2L * memory.length);
                            done.add(bytes);
                        },
                        Manner.HONEST)
                .close();
        assertThat(done).isSorted().last().isEqualTo((long) memory.length);
    }
}
