// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.time.TimeSource;

/** Of who has the name, and whose agent does not answer. */
class ActivationTest {
    private static final UUID OPERATION = new UUID(0, 1);

    private final World world = new World(Integer.MAX_VALUE);
    private final Instance bearer = world.running("web", 8);
    private long nanos;
    private int asked;
    private boolean failed;

    /** Passes when somebody waits. */
    private final TimeSource time = new TimeSource() {
        @Override
        public long nanos() {
            return nanos;
        }

        @Override
        public Instant now() {
            return Instant.EPOCH;
        }

        @Override
        public void sleep(Duration span) {
            nanos += span.toNanos();
        }
    };

    /** @param silentFor how long its agent does not answer */
    private Healing.Event activate(Duration silentFor) throws InterruptedException {
        Activation activation = new Activation(
                (one, operation) -> {
                    asked++;
                    return nanos < silentFor.toNanos() ? Optional.of("no answer") : Optional.empty();
                },
                world.registry,
                one -> failed,
                time);
        return activation.activate(bearer, OPERATION);
    }

    @Test
    void anAgentThatIsStartedAgainByItsKernelIsWaitedFor() throws Exception {
        assertThat(activate(Duration.ofSeconds(15))).isEqualTo(new Healing.Event.Restored(8));
        assertThat(asked).isGreaterThan(1);
    }

    @Test
    void oneThatStaysSilentOnAKernelThatAnswersIsTriedAgainLater() throws Exception {
        assertThat(activate(Duration.ofDays(1))).isEqualTo(new Healing.Event.RestoreFailed("no answer"));
        assertThat(nanos).isGreaterThanOrEqualTo(Activation.PATIENCE.toNanos());
    }

    @Test
    void oneThatHasFailedMakesRoomForAnother() throws Exception {
        failed = true;
        assertThat(activate(Duration.ofDays(1)))
                .isEqualTo(
                        new Healing.Event.RestoreFailed("instance 8, which was to do its work, has failed: no answer"));
        assertThat(asked).isEqualTo(1);
        assertThat(world.find("web")).isEmpty();
        assertThat(world.releases(8)).isEqualTo(1);
        assertThat(world.releasedUnfenced()).isFalse();
    }

    @Test
    void norIsOneThatSomebodyHasEnded() throws Exception {
        world.registry.fence("web", "terminated", Duration.ofSeconds(1));
        assertThat(activate(Duration.ofDays(1))).isEqualTo(new Healing.Event.Gone());
    }
}
