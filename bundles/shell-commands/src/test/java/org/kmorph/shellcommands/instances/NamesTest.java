// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kmorph.shellcommands.Fakes.fake;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.MorphPhase;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.time.TimeSource;

class NamesTest {
    private static final Instances NOBODY = fake(Instances.class, (method, name) -> Optional.empty());
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final AtomicLong nanos = new AtomicLong();
    private final TimeSource time = fake(
            TimeSource.class,
            (method, argument) ->
                    method.equals("sleep") ? nanos.addAndGet(((Duration) argument).toNanos()) : (Object) nanos.get());

    /** What is morphed until a moment of the clock. */
    private Supplier<List<Morphs>> morphing(String instance, Duration end) {
        return () -> List.of(fake(
                Morphs.class,
                (method, none) -> nanos.get() < end.toNanos() ? List.of(committing(instance)) : List.of()));
    }

    private Duration awaitFree(Supplier<List<Morphs>> morphs) throws CommandException, InterruptedException {
        return Names.awaitFree(morphs, NOBODY, "web", time, PATIENCE);
    }

    @Test
    void aNameIsNotFreeWhileAMorphMayStillRunItsWorkload() throws Exception {
        Duration left = awaitFree(morphing("web", Duration.ofSeconds(3)));
        assertThat(Duration.ofNanos(nanos.get())).isBetween(Duration.ofSeconds(3), Duration.ofSeconds(4));
        assertThat(left).isEqualTo(PATIENCE.minusNanos(nanos.get()));
        assertThatThrownBy(() -> awaitFree(morphing("web", Duration.ofHours(1))))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("a morph of an instance \"web\" is not over");
    }

    @Test
    void aNameThatIsNotMorphedIsFreeAtOnce() throws Exception {
        awaitFree(morphing("shop", Duration.ofHours(1)));
        awaitFree(List::of);
        assertThat(nanos).hasValue(0);
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
