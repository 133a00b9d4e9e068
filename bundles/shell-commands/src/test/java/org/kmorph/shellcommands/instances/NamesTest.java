// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kmorph.shellcommands.Fakes.fake;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.MorphPhase;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;

class NamesTest {
    private static final Instances NOBODY = fake(Instances.class, (method, name) -> Optional.empty());
    private static final Morphs OF_WEB = fake(Morphs.class, (method, none) -> List.of(committing("web")));

    @Test
    void aNameIsNotFreeWhileAMorphMayStillRunItsWorkload() {
        assertThatThrownBy(() -> Names.checkFree(List.of(OF_WEB), NOBODY, "web"))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("a morph of an instance \"web\" is not over");
        assertThatCode(() -> Names.checkFree(List.of(OF_WEB), NOBODY, "shop")).doesNotThrowAnyException();
        assertThatCode(() -> Names.checkFree(List.of(), NOBODY, "web")).doesNotThrowAnyException();
    }

    private static MorphStatus committing(String instance) {
        return new MorphStatus(
                instance,
                "1",
                MorphPhase.COMMITTING,
                false,
                Instant.EPOCH,
                "",
                "",
                "",
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                Optional.empty(),
                List.of(),
                List.of(),
                List.of(),
                "",
                "");
    }
}
