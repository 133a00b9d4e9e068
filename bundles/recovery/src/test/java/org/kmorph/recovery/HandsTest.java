// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.recovery.RecoveryState;
import org.kmorph.kmp.message.Cause;

/**
 * Whom a standby stands by for that has failed and is started again: its host finds that one's network by the id. And whose memory is
 * read.
 */
@Timeout(60)
class HandsTest {
    private static final int FORMER = 3;
    private static final int BEARER = 9;

    private static InstanceSpec standby() {
        InstanceSpec alone = spec("web-b");
        Map<String, String> fields =
                new TreeMap<>(alone.succeeding(FORMER, alone.kernel()).fields());
        fields.put("address", "10.0.0.9/24");
        return InstanceSpec.of(alone.name(), fields);
    }

    private static InstanceSpec spec(String name) {
        return InstanceSpec.watched(name, "local", Path.of("/boot/vmlinuz"), List.of("sleep", "1000"));
    }

    private static Healing restoring(InstanceSpec spec) {
        Patient patient =
                new Patient(new UUID(0, 1), 5, spec, Cause.EXIT, "killed by signal 9", "policy", 1, 1, Map.of());
        Treatment treatment = RecoverySettings.of(new StandardPolicies(), spec.name(), Optional.empty(), false);
        return new Healing(
                patient, treatment, RecoveryState.RESTORING_WORK, "", Optional.empty(), 0, Duration.ZERO, false);
    }

    private static Healing capturing(InstanceSpec spec) {
        Healing restoring = restoring(spec);
        Treatment treatment = RecoverySettings.of(new StandardPolicies(), spec.name(), Optional.empty(), true);
        return new Healing(
                restoring.patient(),
                treatment,
                RecoveryState.CAPTURING_VMCORE,
                "",
                Optional.empty(),
                0,
                Duration.ZERO,
                false);
    }

    @Test
    void whatIsFencedHasItsMemoryReadUnlessItWasGivenBackInPart() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            InstanceSpec web = world.running("web", 5).spec();
            world.registry.fence("web", "it failed", Duration.ZERO);
            assertThat(world.perform(new Healing.Action.Capture(), capturing(web)))
                    .isInstanceOf(Healing.Event.Captured.class);
            // somebody terminated it, which did not come to an end, and it was fenced once more
            world.recorded(5, web, InstanceState.RELEASING, true);
            world.recorded(5, web, InstanceState.FENCED, false);
            assertThat(world.perform(new Healing.Action.Capture(), capturing(web)))
                    .isEqualTo(new Healing.Event.NotCaptured("some of what it had may have been given back already"));
            assertThat(world.captures(5)).isEqualTo(1);
        }
    }

    private static InstanceSpec startedAgain(World world, Optional<Path> kernel) throws InterruptedException {
        Healing.Event event = world.perform(new Healing.Action.Start(kernel), restoring(standby()));
        assertThat(event).isInstanceOf(Healing.Event.Restored.class);
        assertThat(world.spawned()).hasSize(1);
        return world.spawned().get(0);
    }

    @Test
    void aStandbyStandsByForWhoeverWasStartedInPlaceOfTheOneThatItHad() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            world.recorded(FORMER, spec("web"));
            world.recorded(5, standby());
            Instance bearer = world.running("web", BEARER);
            world.recorded(BEARER, bearer.spec());
            assertThat(startedAgain(world, Optional.empty()))
                    .isEqualTo(standby().succeeding(BEARER, Path.of("/boot/vmlinuz")));
        }
    }

    @Test
    void alsoOnAnotherKernel() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            world.recorded(FORMER, spec("web"));
            world.running("web", BEARER);
            Path good = Path.of("/boot/vmlinuz-good");
            assertThat(startedAgain(world, Optional.of(good)))
                    .isEqualTo(standby().succeeding(BEARER, good));
        }
    }

    /** By the last of its names that anybody has: "web" gave the name away and is called "web-old" since. */
    @Test
    void oneThatWasGivenAnotherNameIsFoundByThat() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            world.recorded(FORMER, spec("web"));
            world.recorded(FORMER, spec("web-old"));
            world.running("web", BEARER);
            world.running("web-old", FORMER);
            world.running("other", 11);
            assertThat(startedAgain(world, Optional.empty()).successorOf()).contains(FORMER);
        }
    }

    @Test
    void whereNobodyIsCalledAsItWasItGoesOnToStandByForTheOneThatIsGone() throws Exception {
        try (World world = new World(Integer.MAX_VALUE)) {
            world.recorded(FORMER, spec("web"));
            world.running("shop", BEARER);
            assertThat(startedAgain(world, Optional.empty())).isEqualTo(standby());
        }
    }
}
