// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulatorTest {
    /** A quarter of the seeds are beyond {@link World#RELAYS_FROM}: with everything there is. */
    private static final long FROM = World.RELAYS_FROM - 7_500;

    private static final int SEEDS = 10_000;

    private static final double SECONDS = 180;
    private static final int CORES = 2;

    /** In two processes, for what a process makes of chance by itself must not get into a world. */
    @ParameterizedTest
    @ValueSource(longs = {3, 92, 245})
    void aSeedReplaysByteForByte(long seed) throws Exception {
        String first = trace(seed);
        assertThat(first).contains("all is settled").contains("seed " + seed + ": held");
        assertThat(trace(seed)).isEqualTo(first);
    }

    private static String trace(long seed) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Simulate.class.getName(),
                        "--seed=" + seed,
                        "--trace"))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    @Test
    void tenThousandSeedsHoldWithinThreeMinutes() throws InterruptedException {
        Campaign.Outcome outcome = new Campaign(Wiring::plain, FROM, SEEDS, CORES).run();
        System.out.println(outcome.summary());
        assertThat(outcome.failures()).isEmpty();
        assertThat(outcome.seconds()).isLessThan(SECONDS);
    }
}
