// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.kmorph.api.health.HealthMonitor.Windows;

class MetricWindowTest {
    private static final long SECOND = 1_000_000_000L;

    private final MetricWindow window = new MetricWindow();

    @Test
    void meansAreOfTheirOwnTimeAlone() {
        for (int second = 0; second < 900; second++) {
            window.record(second * SECOND, second < 600 ? 1 : second < 840 ? 2 : 4);
        }
        Windows windows = window.windows(899 * SECOND);
        assertThat(windows.last()).isEqualTo(4);
        assertThat(windows.mean1()).isEqualTo(4);
        assertThat(windows.mean5()).isCloseTo((240 * 2 + 60 * 4) / 300.0, within(0.01));
        assertThat(windows.mean15()).isCloseTo((600 + 240 * 2 + 60 * 4) / 900.0, within(0.01));
        assertThat(windows.peak()).isEqualTo(4);
        assertThat(windows.recent()).hasSize(60).containsOnly(4.0);
    }

    @Test
    void peaksAreForgottenAfterFifteenMinutes() {
        window.record(0, 100);
        window.record(10 * SECOND, 1);
        assertThat(window.windows(20 * SECOND).peak()).isEqualTo(100);
        assertThat(window.windows(903 * SECOND).peak()).isEqualTo(1);
    }

    @Test
    void aLongSilenceEmptiesTheWindows() {
        window.record(0, 8);
        Windows windows = window.windows(100_000 * SECOND);
        assertThat(windows.peak()).isZero();
        assertThat(windows.last()).isEqualTo(8);
    }

    @Test
    void theNewestValuesComeOldestFirst() {
        for (int i = 0; i < 1000; i++) {
            window.record(i * SECOND / 10, i);
        }
        assertThat(window.windows(100 * SECOND).recent())
                .hasSize(60)
                .startsWith(940.0)
                .endsWith(999.0)
                .isSorted();
    }
}
