// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.recovery.RecoveryState;

class ChangesTest {
    private static RecoveryReport recovery(RecoveryState state, String detail, Map<String, String> evidence) {
        return new RecoveryReport(
                "1",
                "web",
                7,
                state,
                "PANIC",
                "its kernel panicked",
                "policy",
                Instant.EPOCH,
                Optional.empty(),
                List.of(new RecoveryReport.Step(state, Instant.EPOCH, detail)),
                evidence);
    }

    @Test
    void aRecoveryIsToldStepByStepWithTheVerdictOnTheMemoryAndItsSignature() {
        try (Changes changes = new Changes(() -> Instant.EPOCH)) {
            changes.recoveries.changed(recovery(RecoveryState.FENCING, "", Map.of()));
            changes.recoveries.changed(recovery(
                    RecoveryState.RECLAIMING_RESOURCES,
                    "its memory is in /c: it panicked in do_it",
                    Map.of("crash_signature", "c0ffee")));
            assertThat(changes.drain())
                    .containsExactly(
                            new Change(Instant.EPOCH, "web", "recovery", "FENCING"),
                            new Change(
                                    Instant.EPOCH,
                                    "web",
                                    "recovery",
                                    "RECLAIMING_RESOURCES: its memory is in /c: it panicked in do_it (crash signature c0ffee)"));
        }
    }
}
