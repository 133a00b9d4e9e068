// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final Pace pace = new Pace();

    @Test
    void oneThatFailsAgainAndAgainIsNoCascade() {
        for (int second = 0; second < 20; second++) {
            assertThat(pace.holdUntil("web", second * SECOND)).isEmpty();
            pace.begun("web", second * SECOND);
        }
    }

    @Test
    void fewAtOnceAreHealedAtOnce() {
        for (String name : new String[] {"a", "b", "c"}) {
            assertThat(pace.holdUntil(name, 0)).isEmpty();
            pace.begun(name, 0);
        }
    }

    @Test
    void oneAfterTheOtherIsSlowedDownMoreAndMore() {
        long now = 0;
        long last = 0;
        for (int count = 0; count < 12; count++) {
            String name = "i" + count;
            long until = pace.holdUntil(name, now).orElse(now);
            if (count >= Pace.CASCADE - 1) {
                assertThat(until - now).isGreaterThan(0).isGreaterThanOrEqualTo(Math.min(last, 30 * SECOND));
                last = until - now;
            }
            now = until;
            assertThat(pace.holdUntil(name, now)).isEmpty();
            pace.begun(name, now);
            if (now > Pace.WINDOW.toNanos()) {
                return; // the first ones are forgotten by now
            }
        }
    }

    @Test
    void calmIsForgotten() {
        for (int count = 0; count < 10; count++) {
            pace.begun("i" + count, 0);
        }
        assertThat(pace.holdUntil("late", SECOND)).isPresent();
        assertThat(pace.holdUntil("late", Pace.WINDOW.toNanos() + 1)).isEmpty();
    }
}
