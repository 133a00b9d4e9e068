// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.lang.annotation.Annotation;
import java.nio.file.Path;
import java.time.Duration;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.morph.StateTransfer;
import org.kmorph.morph.MorphConfig;

/** The person who has instances morphed, and the configuration that morphs have. */
final class Movers {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path KERNEL = Path.of("/boot/vmlinuz-next");

    private final World world;
    private final Dice dice;

    Movers(World world, Dice dice) {
        this.world = world;
        this.dice = dice;
    }

    /** Has one of the instances morphed, in one of the ways in which a person would. */
    void morphOne() {
        String name = dice.of(world.operator().names());
        boolean cold = dice.chance(0.2);
        double how = dice.chance(0.7) ? 1 : dice.between(0, 9) / 10.0;
        world.daemon()
                .ifPresent(daemon -> daemon.call("morph " + name, () -> {
                    try {
                        morph(daemon.morpher(), name, cold, how);
                    } catch (MorphException e) {
                        world.say("operator", () -> "morph " + name + ": " + e.getMessage());
                    } catch (InterruptedException e) {
                        throw new Violation("a command was interrupted", e);
                    }
                }));
    }

    /** @param how 1 for to the end; less for prepared, and then rolled back, left alone or committed after a while */
    private void morph(Morphs morphs, String name, boolean cold, double how)
            throws MorphException, InterruptedException {
        world.say("operator", () -> "morph " + name + (cold ? " --restart" : ""));
        morphs.prepare(name, KERNEL, cold ? StateTransfer.NONE : StateTransfer.PLAIN, PATIENCE, status -> {});
        if (how < 0.3) {
            return;
        }
        if (how < 1) {
            world.time().sleep(Duration.ofMillis((long) (how * 4_000)));
        }
        if (how < 0.5) {
            morphs.rollback(name);
        } else {
            morphs.commit(name, PATIENCE);
        }
        world.say("operator", () -> "morph " + name + ": done");
    }

    /** What is prepared does not wait for long, and the old kernel is soon given up. */
    static final class Config implements MorphConfig {
        @Override
        public int lease_millis() {
            return 1_000;
        }

        @Override
        public int prepared_expires_seconds() {
            return 8;
        }

        @Override
        public int refresh_millis() {
            return 1_000;
        }

        @Override
        public int provisional_seconds() {
            return 2;
        }

        @Override
        public int small_round_bytes() {
            return 1 << 20;
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return MorphConfig.class;
        }
    }
}
