// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.vmcore.Capture;
import org.kmorph.vmcore.capture.CaptureFile;

/** Which captures are kept, and what is known of them. */
class KeepingsTest {
    private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    private Path directory;

    private static Instance instance(String name, int id) {
        InstanceSpec spec = InstanceSpec.watched(name, "qemu", Path.of("/boot/vmlinuz"), List.of());
        return new Instance(
                id, spec, InstanceState.FENCED, Instant.EPOCH, "", id + 2L, "6.1.0", Optional.empty(), List.of());
    }

    private Path keep(String name, int id, Instant at, int bytes) throws IOException {
        Keepings keepings = new Keepings(directory);
        Path path = Files.write(keepings.place(name, at), new byte[bytes]);
        Files.writeString(CaptureFile.digest(path), "x");
        keepings.remember(new Capture(name, path, at, bytes, "It panicked.", "c0ffee"), id);
        return path;
    }

    @Test
    void countBytesAndAgeLimitButTheNewestOfEachInstanceStays() throws IOException {
        Path oldest = keep("db", 1, NOW.minus(DAY.multipliedBy(90)), 10);
        Path first = keep("web", 2, NOW.minus(DAY.multipliedBy(3)), 10);
        Path second = keep("web", 3, NOW.minus(DAY.multipliedBy(2)), 10);
        Path third = keep("web", 4, NOW.minus(DAY), 10);
        Keepings keepings = new Keepings(directory);
        assertThat(keepings.prune(100, 1000, DAY.multipliedBy(30), NOW)).isEmpty();
        assertThat(keepings.prune(100, 1000, Duration.ofHours(60), NOW)).containsExactly(first);
        assertThat(keepings.prune(1, 1000, DAY.multipliedBy(30), NOW)).containsExactly(second);
        assertThat(keepings.prune(1, 1, Duration.ofSeconds(1), NOW)).isEmpty();
        assertThat(keepings.list()).extracting(Capture::path).containsExactly(third, oldest);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).as("nothing is left of those removed").hasSize(6);
        }
        keep("web", 5, NOW, 10);
        assertThat(keepings.prune(100, 25, DAY.multipliedBy(300), NOW)).containsExactly(third);
    }

    @Test
    void theCaptureOfAnInstanceIsFoundAgainByItsIdNotByItsName() throws IOException {
        Path path = keep("web", 3, NOW, 10);
        Keepings keepings = new Keepings(directory);
        assertThat(keepings.of(instance("web", 3))).map(Capture::path).contains(path);
        assertThat(keepings.of(instance("web", 4))).isEmpty();
        assertThat(keepings.of(instance("db", 3))).isEmpty();
    }

    @Test
    void whatIsLeftOfFailedCapturesGoesWithTheNextOfTheSameInstance() throws IOException {
        Keepings keepings = new Keepings(directory);
        Path web = Files.write(CaptureFile.incomplete(keepings.place("web", NOW)), new byte[1]);
        Path webDb = Files.write(CaptureFile.incomplete(keepings.place("web-db", NOW)), new byte[1]);
        Path whole = keep("web", 3, NOW, 10);
        keepings.removePartial("web");
        assertThat(web).doesNotExist();
        assertThat(webDb).exists();
        assertThat(whole).exists();
        assertThat(keepings.list()).as("partial ones are none").hasSize(1);
    }

    @Test
    void damagedFactsCostNeitherTheListNorTheMemory() throws IOException {
        Path path = keep("web", 3, NOW, 10);
        Path facts = path.resolveSibling(path.getFileName() + ".properties");
        for (String damage : List.of("at=yesterday", "verdict=\\uXYZ", "")) {
            Files.writeString(facts, damage);
            assertThat(new Keepings(directory).list()).singleElement().satisfies(capture -> {
                assertThat(capture.instance()).isEqualTo("web");
                assertThat(capture.verdict()).contains("is lost");
            });
        }
    }

    @Test
    void aCaptureThatTakesTooLongOrTooMuchOfTheDiskOrWhoseBundleStopsIsEnded() throws IOException {
        AtomicLong seen = new AtomicLong();
        Limits fine = new Limits(DAY, directory, 0, () -> false, (done, total) -> seen.set(done));
        fine.update(1L << 30, 1L << 31);
        assertThat(seen).hasValue(1L << 30);
        Limits late = new Limits(Duration.ZERO, directory, 0, () -> false, (done, total) -> {});
        assertThatThrownBy(() -> late.update(1, 2)).hasMessageContaining("longer than 0 ms");
        Limits full = new Limits(DAY, directory, Long.MAX_VALUE, () -> false, (done, total) -> {});
        assertThatThrownBy(full::check).hasMessageContaining("no room").hasMessageContaining("leave.bytes");
        assertThatThrownBy(() -> full.update(1L << 27, 1L << 30)).hasMessageContaining("no room");
        Limits stopping = new Limits(DAY, directory, 0, () -> true, (done, total) -> {});
        assertThatThrownBy(() -> stopping.update(1L << 27, 1L << 30)).hasMessageContaining("was stopped");
    }
}
