// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.recovery.RecoveryState;

class EventTest {
    private static Map<String, Object> json(RecoveryState state, Map<String, String> evidence) throws IOException {
        RecoveryReport report = new RecoveryReport(
                "1",
                "web",
                7,
                state,
                "PANIC",
                "its kernel panicked",
                "policy",
                Instant.EPOCH,
                Optional.empty(),
                List.of(new RecoveryReport.Step(state, Instant.EPOCH, "its memory is in /c: it panicked")),
                evidence);
        return JSON.std.mapFrom(Event.recovery(report, Instant.EPOCH).json());
    }

    @Test
    void whatTheMemoryTellsIsInEveryEventFromWhenItIsKnown() throws IOException {
        Map<String, String> known =
                Map.of("vmcore", "/c", "vmcore_verdict", "It panicked.", "crash_signature", "c0ffee");
        assertThat(json(RecoveryState.CAPTURING_VMCORE, Map.of("console", "panic")))
                .doesNotContainKeys("vmcore", "vmcore_verdict", "crash_signature", "evidence");
        assertThat(json(RecoveryState.RECLAIMING_RESOURCES, known))
                .containsAllEntriesOf(known)
                .doesNotContainKey("evidence");
        assertThat(json(RecoveryState.RECOVERY_COMPLETE, known))
                .containsAllEntriesOf(known)
                .containsEntry("evidence", known);
    }

    @Test
    void aMemoryWithoutASignatureHasNone() throws IOException {
        assertThat(json(RecoveryState.RECLAIMING_RESOURCES, Map.of("vmcore", "/c", "vmcore_verdict", "Not analysed.")))
                .containsEntry("vmcore_verdict", "Not analysed.")
                .doesNotContainKey("crash_signature");
    }
}
