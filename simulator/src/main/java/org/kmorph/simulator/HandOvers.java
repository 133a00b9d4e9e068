// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.Optional;

/** What goes wrong in the moments in which a workload has no owner, or is about to change it: there is little time for chance to strike. */
final class HandOvers {
    private static final double STRUCK = 0.25;

    private final World world;
    private final Dice dice;
    private final boolean disturbed;
    private final boolean lateBeginnings;
    private final boolean failingFences;

    /**
     * @param disturbed whether anything does
     * @param lateBeginnings whether workloads do not always begin at once where they are told to run
     * @param failingFences whether new kernels fall silent then, and cannot be fenced for certain
     */
    HandOvers(World world, Dice dice, boolean disturbed, boolean lateBeginnings, boolean failingFences) {
        this.world = world;
        this.dice = dice;
        this.disturbed = disturbed;
        this.lateBeginnings = lateBeginnings;
        this.failingFences = failingFences;
    }

    /** A workload is told to run. @return when it does, in nanoseconds; never if it ends before, which it then does */
    Optional<Long> toBegin(Runnable ends) {
        if (!lateBeginnings || !world.troubles().raging() || !dice.chance(STRUCK)) {
            return Optional.of(0L);
        }
        if (dice.chance(0.5)) {
            return Optional.of(dice.nanos(1, 8_000));
        }
        world.scheduler().after(dice.nanos(0, 100), world.life(), ends);
        return Optional.empty();
    }

    private boolean strikes() {
        return disturbed && world.troubles().raging() && dice.chance(STRUCK);
    }

    /** The workload stands still. @return whether the source will not hear that the target has its state */
    boolean frozen(Kernel source, Optional<Kernel> target) {
        if (!strikes()) {
            return false;
        }
        switch (dice.between(0, 4)) {
            case 0 -> world.troubles().cut(source, dice.nanos(500, 12_000));
            case 1 -> {
                world.troubles().cut(source, dice.nanos(500, 12_000));
                return true;
            }
            case 2 -> dies(source, 100);
            case 3 -> target.ifPresent(kernel -> dies(kernel, 100));
            default -> daemonDies(100);
        }
        return false;
    }

    /** Some of its state goes through the daemon's hands. */
    void pulled(Kernel source, Optional<Kernel> target) {
        if (!strikes() || dice.chance(0.5)) {
            return;
        }
        switch (dice.between(0, 3)) {
            case 0 -> world.troubles().cut(source, dice.nanos(5, 12_000));
            case 1 -> target.ifPresent(kernel -> world.troubles().cut(kernel, dice.nanos(5, 12_000)));
            case 2 -> world.troubles().halfOpen(source);
            default -> target.ifPresent(world.troubles()::halfOpen);
        }
    }

    /** Nobody runs it. */
    void released(Kernel source, Optional<Kernel> target) {
        if (failingFences && world.troubles().raging() && dice.chance(STRUCK)) {
            target.ifPresent(this::fallsSilent);
            return;
        }
        if (!strikes()) {
            return;
        }
        if (dice.chance(0.5)) {
            dies(source, 300);
        } else {
            // what the daemon keeps is needed only if the new kernel dies before it has answered
            target.ifPresent(kernel -> dies(kernel, world.relays() && dice.chance(0.5) ? 1 : 300));
        }
        if (dice.chance(0.5)) {
            daemonDies(3);
        }
    }

    private void fallsSilent(Kernel kernel) {
        kernel.fencesThatFail = dice.between(1, 6);
        long nanos = dice.nanos(1_000, 120_000);
        world.scheduler()
                .after(dice.nanos(0, 2), kernel.life, () -> world.troubles().cut(kernel, nanos));
    }

    private void dies(Kernel kernel, int withinMillis) {
        world.scheduler().after(dice.nanos(0, withinMillis), kernel.life, () -> world.machine()
                .fail(kernel, "killed by signal 9", dice.chance(0.5)));
    }

    private void daemonDies(int withinMillis) {
        world.scheduler().after(dice.nanos(0, withinMillis), world.life(), () -> world.killDaemon("kill -9"));
    }
}
