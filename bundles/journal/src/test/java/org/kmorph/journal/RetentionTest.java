// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.annotation.Annotation;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RetentionTest {
    @Test
    void kindsMayHaveAnAgeOfTheirOwn() {
        Retention retention = Retention.of(new Config(30, 365, " recovery=90, morph = 7 ,", 256));
        assertThat(retention.ageOf("recovery")).isEqualTo(Duration.ofDays(90));
        assertThat(retention.ageOf("morph")).isEqualTo(Duration.ofDays(7));
        assertThat(retention.ageOf("audit")).isEqualTo(Duration.ofDays(365));
        assertThat(retention.ageOf("instance")).isEqualTo(Duration.ofDays(30));
        assertThat(retention.maxBytes()).isEqualTo(256L << 20);
    }

    @Test
    void aSettingThatCannotBeIsNamedWithWhatItCouldBe() {
        refused(new Config(0, 365, "", 256), "history.days is 0; it must be 1 to 36500");
        refused(new Config(30, -1, "", 256), "audit.days is -1; it must be 1 to 36500");
        refused(new Config(30, 365, "", 1), "size.mb is 1; it must be 8 to 65536");
        refused(new Config(30, 365, "morph", 256), "kind.days has \"morph\"; it must be kind=days");
        refused(new Config(30, 365, "morph=x", 256), "kind.days has \"morph=x\"");
        refused(new Config(30, 365, "morph=0", 256), "kind.days of morph is 0");
    }

    private static void refused(JournalConfig config, String message) {
        assertThatThrownBy(() -> Retention.of(config))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    private record Config(int history_days, int audit_days, String kind_days, int size_mb) implements JournalConfig {
        @Override
        public int history_records() {
            return 100_000;
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return JournalConfig.class;
        }
    }
}
