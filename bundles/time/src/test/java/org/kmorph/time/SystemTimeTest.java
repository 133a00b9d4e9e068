// SPDX-License-Identifier: Apache-2.0
package org.kmorph.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SystemTimeTest {
    @Test
    void nanosNeverGoBack() {
        SystemTime time = new SystemTime();
        long last = time.nanos();
        for (int i = 0; i < 10_000; i++) {
            long next = time.nanos();
            assertThat(next - last).isNotNegative();
            last = next;
        }
    }

    @Test
    void nowIsTheWallClock() {
        assertThat(Duration.between(Instant.now(), new SystemTime().now()).abs())
                .isLessThan(Duration.ofMinutes(1));
    }

    @Test
    void twoSourcesOfRandomnessShareNoValues() {
        Set<Long> seen = new HashSet<>();
        SystemRandomness one = new SystemRandomness();
        SystemRandomness other = new SystemRandomness();
        for (int i = 0; i < 1_000; i++) {
            assertThat(seen.add(one.nextLong())).isTrue();
            assertThat(seen.add(other.nextLong())).isTrue();
        }
    }
}
