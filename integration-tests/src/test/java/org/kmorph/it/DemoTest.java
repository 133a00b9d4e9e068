// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code ./kmorph demo} runs once all is built. */
class DemoTest {
    private static final Path DISTRIBUTION = Path.of(System.getProperty("kmorph.distribution"));

    @TempDir
    private Path scratch;

    @Test
    void theDemoShowsItsWorkAndLeavesNothingBehind() {
        Path demo = DISTRIBUTION.resolve("../../demo").normalize();
        Result shown = Programs.run(
                        DISTRIBUTION,
                        Map.of("TMPDIR", scratch.toString()),
                        "",
                        List.of(demo.toString(), DISTRIBUTION.toString()))
                .ok();
        assertThat(shown.out())
                .contains("RECOVERY_COMPLETE", " asked, 0 without an answer", "\"wrong\":0,\"lost\":0,\"closed\":0");
        assertThat(scratch).isEmptyDirectory();
        assertThat(ProcessHandle.allProcesses()
                        .map(process -> process.info().commandLine().orElse("")))
                .noneMatch(line -> line.contains(scratch.toString()));
    }
}
