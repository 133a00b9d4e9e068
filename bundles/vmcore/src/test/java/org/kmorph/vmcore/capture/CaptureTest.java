// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.vmcore.file.DumpFile;

class CaptureTest {
    @TempDir
    Path directory;

    private static Capturer capturer(List<MemoryRange> memory, Compression compression) {
        return new Capturer(
                Programs.capture(),
                MemorySource.of(memory),
                List.of(new byte[336]),
                new CaptureOptions(CaptureOptions.Format.KDUMP, compression, 1, 2, true));
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    void everyPageComesBackFromAFile(Compression compression) throws Exception {
        Path path = SmallMemory.kdump(directory, compression);
        assertSame(path);
        assertThat(CaptureFile.incomplete(path)).doesNotExist();
    }

    @Test
    void everyPageComesBackFromAStream() throws Exception {
        Path path = directory.resolve("flat");
        try (OutputStream out = Files.newOutputStream(path)) {
            CaptureFile.stream(out, capturer(SmallMemory.in(directory), Compression.ZSTD), (done, total) -> {});
        }
        assertSame(path);
    }

    private void assertSame(Path path) throws IOException {
        byte[] memory = Files.readAllBytes(directory.resolve("memory"));
        byte[] page = new byte[4096];
        try (DumpFile file = DumpFile.open(path)) {
            assertThat(file.info().orElseThrow().release()).isEqualTo("6.1.0-test");
            assertThat(file.registers()).hasSize(1);
            assertThat(file.damage()).isEmpty();
            for (int i = 0; i < SmallMemory.PAGES; i++) {
                assertThat(file.page(SmallMemory.frame(i), page))
                        .as("page %d", i)
                        .isTrue();
                assertThat(page)
                        .as("page %d", i)
                        .isEqualTo(java.util.Arrays.copyOfRange(memory, i * 4096, i * 4096 + 4096));
            }
            assertThat(file.page(500, page)).as("a frame in the hole").isFalse();
            assertThat(file.page(1L << 40, page)).as("a frame beyond all").isFalse();
        }
    }

    @Test
    void theDigestBesideItIsTheFiles() throws Exception {
        Path path = SmallMemory.kdump(directory, Compression.LZO);
        String digest =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(path)));
        assertThat(CaptureFile.digest(path)).hasContent(digest + "  " + path.getFileName());
    }

    @Test
    void withoutADigestThatOfAnEarlierFileOfThisNameGoes() throws Exception {
        Path path = SmallMemory.kdump(directory, Compression.LZO);
        Capturer capturer = new Capturer(
                Programs.capture(),
                MemorySource.of(SmallMemory.in(directory)),
                List.of(new byte[336]),
                new CaptureOptions(CaptureOptions.Format.KDUMP, Compression.LZO, 1, 2, false));
        CaptureFile.Result result = CaptureFile.write(path, capturer, (done, total) -> {});
        assertThat(result.sha256()).isEmpty();
        assertThat(result.bytes()).isEqualTo(Files.size(path));
        assertSame(path);
        assertThat(CaptureFile.digest(path)).doesNotExist();
    }

    @Test
    void aCancelledCaptureLeavesAFileThatIsMarkedIncomplete() throws Exception {
        Path path = directory.resolve("cancelled");
        Capturer capturer = capturer(SmallMemory.in(directory), Compression.ZLIB);
        assertThatThrownBy(() -> CaptureFile.write(
                        path, capturer, (done, total) -> Thread.currentThread().interrupt()))
                .isInstanceOf(InterruptedException.class);
        assertThat(path).doesNotExist();
        assertThat(CaptureFile.incomplete(path)).exists();
        assertThat(CaptureFile.digest(path)).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Timeout(60)
    void aCaptureToAFifoCanBeCancelledWhateverItsReaderDoes(boolean opens) throws Exception {
        Path fifo = directory.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor())
                .isZero();
        Capturer capturer = capturer(SmallMemory.in(directory), Compression.NONE);
        AtomicReference<Throwable> end = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                CaptureFile.fifo(fifo, capturer, (done, total) -> {});
            } catch (IOException | InterruptedException | RuntimeException e) {
                end.set(e);
            }
        });
        thread.start();
        if (opens) {
            try (InputStream reader = Files.newInputStream(fifo)) {
                assertThat(reader.readNBytes(4096)).startsWith("makedumpfile".getBytes(StandardCharsets.US_ASCII));
                interrupt(thread);
            }
        } else {
            interrupt(thread);
        }
        assertThat(end.get()).isInstanceOf(InterruptedException.class);
    }

    /** Interrupts it when it waits; one that has ended instead says by its end why. */
    private static void interrupt(Thread thread) throws InterruptedException {
        while (thread.isAlive() && thread.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        thread.interrupt();
        thread.join();
    }

    @Test
    void everyPageComesBackFromAFifo() throws Exception {
        Path fifo = directory.resolve("fifo");
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor())
                .isZero();
        Path flat = directory.resolve("flat");
        Process reader = new ProcessBuilder("cat", fifo.toString())
                .redirectOutput(flat.toFile())
                .start();
        CaptureFile.fifo(fifo, capturer(SmallMemory.in(directory), Compression.LZO), (done, total) -> {});
        assertThat(reader.waitFor()).isZero();
        assertSame(flat);
    }

    /** Whether the program has ended already when it is told more, or not. */
    @RepeatedTest(50)
    void aFullDiskIsSaid() throws Exception {
        Capturer capturer = capturer(SmallMemory.in(directory), Compression.NONE);
        assertThatThrownBy(() -> CaptureFile.fifo(Path.of("/dev/full"), capturer, (done, total) -> {}))
                .isInstanceOf(IOException.class)
                .hasMessage("/dev/full cannot be written: No space left on device");
    }

    @Test
    void aReaderThatGoesEndsTheStream() throws Exception {
        Capturer capturer = capturer(SmallMemory.in(directory), Compression.NONE);
        OutputStream closed = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("the reader has gone");
            }
        };
        assertThatThrownBy(() -> CaptureFile.stream(closed, capturer, (done, total) -> {}))
                .isInstanceOf(IOException.class)
                .hasMessage("the reader has gone");
    }

    @Test
    void aProgramThatCannotBeRunIsAnError() throws Exception {
        Path path = directory.resolve("none");
        Capturer capturer = new Capturer(
                directory.resolve("absent"),
                MemorySource.of(SmallMemory.in(directory)),
                List.of(),
                new CaptureOptions(CaptureOptions.Format.KDUMP, Compression.NONE, 0, 1, true));
        assertThatThrownBy(() -> CaptureFile.write(path, capturer, (done, total) -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("absent");
    }

    @Test
    void aFailureNamesThePartialFile() throws Exception {
        Path path = directory.resolve("failed");
        List<MemoryRange> memory = SmallMemory.in(directory);
        assertThatThrownBy(() -> CaptureFile.write(path, capturer(memory, Compression.ZSTD), (done, total) -> {
                    throw new UncheckedIOException(new IOException("no space left on device"));
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no space left on device")
                .hasMessageContaining("failed.incomplete");
        assertThat(path).doesNotExist();
    }

    @Test
    void aMemoryWithoutAKernelIsRefusedAndNoFileMade() throws Exception {
        Path empty = Files.write(directory.resolve("empty"), new byte[1 << 20]);
        Path path = directory.resolve("of-nothing");
        assertThatThrownBy(() -> CaptureFile.write(
                        path,
                        capturer(List.of(new MemoryRange(0, 1 << 20, empty, 0)), Compression.NONE),
                        (done, total) -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("VMCOREINFO")
                .hasMessageNotContaining("incomplete");
        assertThat(path).doesNotExist();
        assertThat(CaptureFile.incomplete(path)).doesNotExist();
    }

    @Test
    void aMemoryFileThatIsShorterThanSaidIsAnError() throws Exception {
        Path file = Files.write(directory.resolve("short"), new byte[8192]);
        assertThatThrownBy(() -> CaptureFile.stream(
                        new ByteArrayOutputStream(),
                        capturer(List.of(new MemoryRange(0, 1 << 20, file, 0)), Compression.NONE),
                        (done, total) -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ends at 8192");
    }
}
