// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kmorph.morph.core.Outcome;
import org.kmorph.transportlocal.UnixTransport;

/** The new kernel dies when the old one has let go, and no other can be made: the old one goes on. The agents and the workload are real. */
class NoSuccessorTest {
    private static UnixTransport transport;

    @TempDir
    private Path directory;

    @BeforeAll
    static void build() throws Exception {
        LocalAgents.build();
        transport = new UnixTransport(new TransportDefaults());
    }

    @ParameterizedTest(name = "from agent to agent: {0}")
    @ValueSource(booleans = {true, false})
    void theOldKernelGoesOnFromWhatItKept(boolean direct) throws Exception {
        try (Bed bed = new Bed(directory, transport)) {
            AtomicReference<MorphRun> run = new AtomicReference<>();
            Faults faults = Faults.at("before ACTIVATE to 2", () -> {
                bed.agents.fill();
                bed.killAgent(2, run.get());
            });
            run.set(bed.run(Bed.plan(direct), faults));
            run.get().begin(true);
            run.get().finished().get(Bed.PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(run.get().state().outcome()).isEqualTo(Outcome.ROLLED_BACK);
            assertThat(run.get().state().why()).contains("no new one could take it: there is no memory");
            assertThat(bed.agents.agent(Bed.NAME).orElseThrow().instance().id()).isEqualTo(1);
            assertThat(bed.agents.workloads()).isEqualTo(1);
            AtomicReference<Bed.Seen> seen = new AtomicReference<>(bed.ask());
            Awaitility.await().atMost(Duration.ofSeconds(Bed.PATIENCE_SECONDS)).until(() -> {
                Bed.Seen now = bed.ask();
                seen.set(seen.get().and(now));
                return now.answers() > 0;
            });
            Bed.Seen all = seen.get().and(bed.end());
            assertThat(all.wrong() + all.lost() + all.closed()).as("%s", all).isZero();
        }
    }
}
