// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgressTest {
    @TempDir
    Path directory;

    @Test
    void itEndsAtAllTheMemoryAndCountsNoHole() throws Exception {
        AtomicLong most = new AtomicLong();
        AtomicLong of = new AtomicLong();
        CaptureFile.stream(
                new ByteArrayOutputStream(),
                new Capturer(
                        Programs.capture(),
                        MemorySource.of(SmallMemory.in(directory)),
                        List.of(),
                        new CaptureOptions(CaptureOptions.Format.KDUMP, Compression.NONE, 0, 2, true)),
                (done, total) -> {
                    most.accumulateAndGet(done, Math::max);
                    of.set(total);
                });
        assertThat(of).hasValue(SmallMemory.PAGES * 4096L);
        assertThat(most).hasValue(of.get());
    }
}
