// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.instance.Instance;

class EvidenceTest {
    private static Instance instance() {
        return new World(Integer.MAX_VALUE).running("web", 1);
    }

    @Test
    void ofALongConsoleTheEndIsKept() {
        String console = Evidence.of(instance(), Optional.empty(), List.of("x".repeat(100_000), "the end"))
                .get("console");
        assertThat(console).hasSize(Evidence.CONSOLE_MOST).endsWith("x\nthe end");
    }

    @Test
    void aConsoleOnWhichNothingWasWrittenIsNoEvidence() {
        assertThat(Evidence.of(instance(), Optional.empty(), List.of())).containsOnlyKeys("image_release");
    }
}
