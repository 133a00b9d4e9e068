// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void waitsDoubleUpToTheCap() {
        assertThat(Backoff.waitMillis(0, 0, 1)).hasValue(50);
        assertThat(Backoff.waitMillis(1, 0, 1)).hasValue(100);
        assertThat(Backoff.waitMillis(6, 0, 1)).hasValue(3200);
        assertThat(Backoff.waitMillis(7, 0, 1)).hasValue(5000);
    }

    @Test
    void jitterStaysInTheUpperHalf() {
        assertThat(Backoff.waitMillis(3, 0, 0)).hasValue(200);
        assertThat(Backoff.waitMillis(3, 0, 0.5)).hasValue(300);
        assertThat(Backoff.waitMillis(3, 0, 1)).hasValue(400);
    }

    @Test
    void neverBeforeWhatRetryAsks() {
        assertThat(Backoff.waitMillis(0, 200, 0)).hasValue(225);
        assertThat(Backoff.waitMillis(0, 600_000, 1)).hasValue(60_050);
    }

    @Test
    void failsAfterEightRepetitions() {
        assertThat(Backoff.waitMillis(8, 0, 0)).isEqualTo(OptionalLong.empty());
    }
}
