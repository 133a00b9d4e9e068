// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * kerf-vsock.ko between pairs of real kernels. The work is done by {@code kernel/kerf-vsock/tests/run}, which can be run by hand;
 * each scenario of it is a test here. They need what {@code ./kmorph kernels --tests} fetches, and fail without it.
 */
class KerfVsockTest {
    /** A scenario takes 20 to 160 seconds when the machine has nothing else to do. */
    private static final Duration DEADLINE = Duration.ofMinutes(8);

    @TempDir
    private Path directory;

    @Test
    void sourcesFollowTheKernelsStyle() throws Exception {
        passes("style");
    }

    @Test
    void twoKernelsOf612TalkAsTheKernelsOwnTestsDemand() throws Exception {
        passes("same-6.12");
    }

    @Test
    void twoKernelsOf61TalkAsTheKernelsOwnTestsDemand() throws Exception {
        passes("same-6.1");
    }

    @Test
    void kernelsOfTwoReleasesTalkAndSurviveDeadAndHostilePeers() throws Exception {
        passes("mixed");
    }

    @Test
    void kernelsOfTwoReleasesTalkTheOtherWayRound() throws Exception {
        passes("crossed");
    }

    private void passes(String scenario) throws IOException, InterruptedException {
        Path run = Path.of(System.getProperty("kmorph.root"), "kernel/kerf-vsock/tests/run");
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(List.of("python3", run.toString(), scenario))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
        String said = Files.readString(output);
        assertThat(ended).as("ended within %s; it said:\n%s", DEADLINE, said).isTrue();
        assertThat(process.exitValue()).as("its status; it said:\n%s", said).isZero();
        assertThat(said)
                .as("what it said")
                .contains("ok     " + scenario + ": ")
                .doesNotContain("FAILED");
    }
}
