// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.journal.Compaction.Contents;
import org.kmorph.journal.Compaction.Cut;
import org.kmorph.journal.Compaction.KindHistory;

class CompactionTest {
    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final Retention KEEP = new Retention(
            Duration.ofDays(30), Map.of("audit", Duration.ofDays(365), "morph", Duration.ofDays(90)), 1_000, 100 << 20);

    @Test
    void whatIsYoungFewAndSmallStays() {
        assertThat(next(1 << 20, history("instance", 1_000, 1, 30), history("audit", 50_000, 2, 365)))
                .isEmpty();
        assertThat(next(75 << 20)).isEmpty();
    }

    @Test
    void historyGoesByTheAgeOfItsKind() {
        assertThat(next(0, history("instance", 10, 1, 31)))
                .contains(new Cut(
                        "instance", Long.MAX_VALUE, Long.MAX_VALUE, Optional.of(NOW.minus(Duration.ofDays(30)))));
        assertThat(next(0, history("morph", 10, 1, 89))).isEmpty();
        assertThat(next(0, history("audit", 10, 1, 366)))
                .contains(
                        new Cut("audit", Long.MAX_VALUE, Long.MAX_VALUE, Optional.of(NOW.minus(Duration.ofDays(365)))));
    }

    @Test
    void historyGoesByCountButTheAuditLogDoesNot() {
        assertThat(next(0, history("audit", 5_000, 1, 1), history("instance", 1_300, 2, 1)))
                .contains(new Cut("instance", 300, Long.MAX_VALUE, Optional.empty()));
    }

    @Test
    void whenSpaceIsShortTheOldestGoesFirstAndTheAuditLogLast() {
        long used = (75 << 20) + 5_000;
        assertThat(next(used, history("audit", 10, 1, 1), history("morph", 10, 9, 1), history("instance", 8, 5, 1)))
                .contains(new Cut("instance", 4, 5_000, Optional.empty()));
        assertThat(next(used, history("audit", 1, 1, 1))).contains(new Cut("audit", 1, 5_000, Optional.empty()));
        assertThat(next(used)).isEmpty();
    }

    private static Optional<Cut> next(long usedBytes, KindHistory... history) {
        return Compaction.next(KEEP, new Contents(usedBytes, List.of(history)), NOW);
    }

    private static KindHistory history(String kind, long records, long oldestSequence, int days) {
        return new KindHistory(kind, records, oldestSequence, NOW.minus(Duration.ofDays(days)));
    }
}
