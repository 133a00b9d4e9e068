// SPDX-License-Identifier: Apache-2.0
package org.kmorph.samples.storagepolicy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthPolicy.Judge;
import org.kmorph.api.health.Heartbeat;

class StoragePolicyTest {
    private static final long SECOND = 1_000_000_000L;

    private static Heartbeat heartbeat(long nanos, Optional<Long> ioMicros) {
        return new Heartbeat(nanos, 0, 1, "ready", "none", 0, 0, 0, 0, ioMicros, 0);
    }

    @Test
    void slow_or_stuck_writes_make_suspect_and_silence_fails() {
        Judge judge = new StoragePolicy().judge(SECOND, Map.of("slow-ms", "10"));
        assertThat(judge.verdict(0).health()).isEqualTo(Health.UNKNOWN);
        judge.heard(heartbeat(0, Optional.of(9_000L)));
        assertThat(judge.verdict(1).health()).isEqualTo(Health.HEALTHY);
        judge.heard(heartbeat(0, Optional.of(11_000L)));
        assertThat(judge.verdict(1).reason()).isEqualTo("a synced write took 11 ms");
        judge.heard(heartbeat(0, Optional.empty()));
        assertThat(judge.verdict(1).health()).isEqualTo(Health.SUSPECT);
        assertThat(judge.verdict(SECOND).health()).isEqualTo(Health.FAILED);
    }

    @Test
    void options_are_checked() {
        assertThatThrownBy(() -> new StoragePolicy().judge(SECOND, Map.of("slow-ms", "0")))
                .hasMessage("slow-ms is \"0\"; expected a whole number from 1 to 60000");
        assertThatThrownBy(() -> new StoragePolicy().judge(SECOND, Map.of("fast", "1")))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
