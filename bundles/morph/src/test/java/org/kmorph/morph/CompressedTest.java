// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.kmp.item.Capabilities;
import org.kmorph.kmp.item.Capability;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Region;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.transportlocal.UnixTransport;

/** State that is compressed on its way: with real agents, directly and through the daemon; and what the daemon keeps of it. */
class CompressedTest {
    private static final int PAGE = 4096;

    private static UnixTransport transport;

    @TempDir
    private Path directory;

    @BeforeAll
    static void build() throws Exception {
        LocalAgents.build();
        transport = new UnixTransport(new TransportDefaults());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void stateMovesCompressedAndClientsNoticeNothing(boolean direct) throws Exception {
        try (Bed bed = new Bed(directory, transport)) {
            bed.ask();
            MorphRun run = bed.run(Bed.plan(direct), Faults.none(), true);
            run.begin(true);
            run.finished().get(Bed.PATIENCE_SECONDS, TimeUnit.SECONDS);
            MorphStatus status = run.status();
            assertThat(status.outcome()).as(status.detail()).isEqualTo("committed");
            assertThat(status.agreed()).contains("agreed on compression by zstd");
            assertThat(status.unpackedBytes()).isGreaterThan(1 << 20);
            assertThat(status.bytes()).isPositive().isLessThan(status.unpackedBytes());
            Bed.Seen seen = bed.ask().and(bed.end());
            assertThat(seen.answers()).isPositive();
            assertThat(seen.wrong() + seen.lost() + seen.closed()).isZero();
        }
    }

    @Test
    void whatNobodyWantsCompressedIsNot() throws Exception {
        try (Bed bed = new Bed(directory, transport)) {
            MorphRun run = bed.run(Bed.plan(), Faults.none());
            run.begin(true);
            run.finished().get(Bed.PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(run.status().unpackedBytes()).isEqualTo(run.status().bytes());
            assertThat(run.status().agreed()).noneMatch(words -> words.contains("zstd"));
        }
    }

    @Test
    void whereOneOfThemHasItNotStateMovesAsItIs() {
        List<Item> has = List.of(new Capabilities(Capability.ZSTD | Capability.XXH64));
        List<Item> hasNot = List.of(new Capabilities(Capability.XXH64));
        assertThat(Agreement.compression(has, has)).isEqualTo(Compression.ZSTD);
        for (Compression agreed : List.of(
                Agreement.compression(has, hasNot),
                Agreement.compression(hasNot, has),
                Agreement.compression(List.of(), List.of()))) {
            assertThat(agreed).isEqualTo(Compression.NONE);
            assertThat(Agreement.compressionInWords(agreed)).contains("one of the two agents has no zstd");
        }
    }

    @Test
    void theDaemonKeepsWhatItExpandsTo() throws IOException {
        byte[] page = new byte[PAGE];
        Arrays.fill(page, (byte) 7);
        try (Kept kept = kept()) {
            kept.write(data(Zstd.compress(page)));
            assertThat(kept.read(0, 0, PAGE)).isEqualTo(ByteBuffer.wrap(page));
        }
    }

    /** A source that lies about it is not believed, and gets no more memory than a chunk may have. */
    @Test
    void whatExpandsToSomethingElseIsRefused() throws IOException {
        try (Kept kept = kept()) {
            for (byte[] frame : List.of(
                    Zstd.compress(new byte[PAGE + 1]),
                    Zstd.compress(new byte[1 << 28]),
                    Zstd.compress(new byte[PAGE - 1]),
                    Arrays.copyOf(Zstd.compress(new byte[PAGE]), 10),
                    new byte[] {1, 2, 3},
                    new byte[0])) {
                assertThatThrownBy(() -> kept.write(data(frame)))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("4096");
            }
            assertThat(kept.size(0)).isZero();
        }
    }

    private Kept kept() throws IOException {
        return new KeptFiles.Place(directory.resolve("kept")).begin(List.of(new Region(0, 1, 0, PAGE, "heap")));
    }

    /** A chunk of one page. */
    private static TransferData data(byte[] frame) {
        Chunk chunk = new Chunk(true, true, List.of(new Extent(0, PAGE, Extent.Content.BYTES)), ByteBuffer.wrap(frame));
        return new TransferData(new UUID(1, 2), 0, 1, 0, false, chunk, List.of());
    }
}
