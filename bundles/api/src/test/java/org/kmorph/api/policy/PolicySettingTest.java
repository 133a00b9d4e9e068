// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PolicySettingTest {
    @ParameterizedTest
    @ValueSource(strings = {"30ms", "1500ms", "1s", "90s", "5m", "36h", "7d", "0.0000015s"})
    void a_time_is_printed_as_it_is_read(String text) {
        assertThat(Quantities.span(Quantities.span(text))).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "1000", "4K", "1025M", "3G", "2T", "2048T"})
    void a_size_is_printed_as_it_is_read(String text) {
        assertThat(Quantities.bytes(Quantities.bytes(text))).isEqualTo(text);
    }

    @Test
    void a_value_is_kept_in_its_plain_form() {
        assertThat(StandardPolicy.HEARTBEAT_TIMEOUT.check("60")).isEqualTo("1m");
        assertThat(StandardPolicy.HEARTBEAT_TIMEOUT.check("0.25")).isEqualTo("250ms");
        assertThat(StandardPolicy.HEARTBEAT_TIMEOUT.read("0.25")).isEqualTo(Duration.ofMillis(250));
    }

    @Test
    void profiles_bring_standards_of_their_own() {
        assertThat(StandardPolicy.HEARTBEAT_TIMEOUT.standard(StandardPolicy.PRODUCTION))
                .contains("1s");
        assertThat(StandardPolicy.HEARTBEAT_TIMEOUT.standard(StandardPolicy.DEVELOPMENT))
                .contains("1m");
        assertThat(StandardPolicy.AUTO_HEAL.standard(StandardPolicy.DEVELOPMENT))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"29ms", "61m", "fast", "", "-1s"})
    void what_is_out_of_bounds_is_refused_with_what_it_takes(String text) {
        assertThatThrownBy(() -> StandardPolicy.HEARTBEAT_TIMEOUT.check(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("heartbeat-timeout is \"" + text + "\"; expected a time from 30ms to 1h");
    }

    @Test
    void words_numbers_and_texts_are_checked_too() {
        assertThatThrownBy(() -> StandardPolicy.AUTO_HEAL.check("yes"))
                .hasMessageEndingWith("expected enabled or disabled");
        PolicySetting<Long> whole = PolicySetting.whole("respawn-retries", "", 3, 0, 10);
        assertThatThrownBy(() -> whole.check("three")).hasMessageEndingWith("expected a whole number from 0 to 10");
        PolicySetting<Long> bytes = PolicySetting.bytes("vmcore-space", "", 1 << 30, 1 << 20, 1L << 40);
        assertThat(bytes.check("4096M")).isEqualTo("4G");
        PolicySetting<Path> path = PolicySetting.text("fallback-kernel", "", "a path", "/boot/vmlinuz", Path::of);
        assertThat(path.read("/boot/old")).isEqualTo(Path.of("/boot/old"));
        assertThatThrownBy(() -> path.check("a\nb")).hasMessageEndingWith("expected a path");
    }

    @Test
    void a_standard_that_its_own_setting_refuses_cannot_be_written() {
        assertThatThrownBy(() -> PolicySetting.whole("retries", "", 11, 0, 10))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
