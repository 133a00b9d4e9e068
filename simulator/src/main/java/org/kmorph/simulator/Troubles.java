// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What goes wrong in one world, and what is wrong at the moment. */
final class Troubles {
    private static final int BOOT_LEAST_MILLIS = 10;
    private static final int BOOT_MOST_MILLIS = 150;
    private static final int SLOW_BOOT_MOST_MILLIS = 15_000;

    private final World world;
    private final Dice dice;
    private final Set<Trouble> chosen = EnumSet.noneOf(Trouble.class);
    private boolean raging;

    /** How a fence goes. */
    enum Fence {
        WORKS,
        /** It does nothing, and says so. */
        FAILS,
        /** It works at once, and its host cannot tell. */
        WORKS_AND_SAYS_NO,
        /** It works after its host has given up. */
        WORKS_LATE
    }

    Troubles(World world, Dice dice) {
        this.world = world;
        this.dice = dice;
        double share = dice.between(1, 6) / 10.0;
        for (Trouble trouble : Trouble.values()) {
            if ((world.moves() || !trouble.ofMoves()) && dice.chance(share)) {
                chosen.add(trouble);
            }
        }
    }

    Set<Trouble> chosen() {
        return chosen;
    }

    void begin() {
        raging = true;
    }

    void end() {
        raging = false;
    }

    boolean raging() {
        return raging;
    }

    private boolean now(Trouble trouble, double probability) {
        return raging && chosen.contains(trouble) && dice.chance(probability);
    }

    boolean startFails() {
        return now(Trouble.START_FAILS, 0.3);
    }

    boolean adoptFails() {
        return now(Trouble.ADOPTION_FAILS, 0.1);
    }

    boolean releaseFails() {
        return now(Trouble.RELEASE_FAILS, 0.1);
    }

    boolean captureFails() {
        return now(Trouble.CAPTURE_FAILS, 0.5);
    }

    boolean targetRefuses() {
        return now(Trouble.TARGET_REFUSES, 0.2);
    }

    boolean transferFails() {
        return now(Trouble.TRANSFER_FAILS, 0.2);
    }

    boolean killsHere() {
        return now(Trouble.DAEMON_KILLED_BETWEEN_TWO_DEEDS, 0.04);
    }

    Fence fence() {
        return now(Trouble.FENCE_FAILS, 0.2)
                ? dice.of(List.of(Fence.FAILS, Fence.WORKS_AND_SAYS_NO, Fence.WORKS_LATE))
                : Fence.WORKS;
    }

    long bootNanos() {
        return now(Trouble.SLOW_BOOT, 0.3)
                ? dice.nanos(BOOT_MOST_MILLIS, SLOW_BOOT_MOST_MILLIS)
                : dice.nanos(BOOT_LEAST_MILLIS, BOOT_MOST_MILLIS);
    }

    /** A kernel that was started may be one of those that do not live long. */
    void startedOne(Kernel kernel) {
        if (now(Trouble.CRASH_LOOP, 0.6)) {
            world.scheduler().after(dice.nanos(50, 2_000), kernel.life, () -> {
                if (raging) {
                    world.machine().fail(kernel, "kernel panic: it does not live long", true);
                }
            });
        }
    }

    /** Makes one of the chosen troubles. */
    void strike() {
        if (!chosen.isEmpty()) {
            strike(dice.of(List.copyOf(chosen)));
        }
    }

    private void strike(Trouble trouble) {
        List<Kernel> running = world.machine().running();
        if (!running.isEmpty()) {
            strike(trouble, dice.of(running));
        }
        switch (trouble) {
            case MANY_DIE ->
                List.copyOf(running).stream().filter(kernel -> dice.chance(0.7)).forEach(kernel -> world.machine()
                        .fail(kernel, "killed by signal 9", dice.chance(0.5)));
            case DAEMON_KILLED -> world.killDaemon("kill -9");
            case DAEMON_STANDS_STILL -> world.pauseDaemon(dice.nanos(50, 12_000));
            case RECOVERY_REPLACED -> world.daemon().ifPresent(Daemon::replaceRecovery);
            case REGISTRY_REPLACED -> world.daemon().ifPresent(Daemon::replaceRegistry);
            case MONITOR_REPLACED -> world.daemon().ifPresent(Daemon::replaceMonitor);
            case HOST_REPLACED -> world.daemon().ifPresent(daemon -> daemon.replaceHost(dice.chance(0.5)));
            case MORPH_REPLACED -> world.daemon().ifPresent(Daemon::replaceMorph);
            case CLIENT_REPLACED -> world.daemon().ifPresent(Daemon::replaceClient);
            case POWER_FAILS -> world.powerFails();
            case DISK_FULL ->
                disk("is full", () -> world.disk().full(true), () -> world.disk()
                        .full(false));
            case DISK_SLOW ->
                disk("is slow", () -> world.disk().slow(dice.nanos(5, 1_500)), () -> world.disk()
                        .slow(0));
            case DISK_LIES ->
                disk("lies", () -> world.disk().lies(true), () -> world.disk().lies(false));
            case WALL_CLOCK_JUMPS -> world.time().jump(dice.nanos(0, 3_600_000) - 1_800_000_000_000L);
            case OPERATOR_RECOVERS -> world.operator().recoverOne();
            case OPERATOR_TERMINATES -> world.operator().terminateOne();
            case OPERATOR_SPAWNS -> world.operator().spawnOne();
            default -> {
                // of one kernel, above; or where the host is asked
            }
        }
    }

    private void strike(Trouble trouble, Kernel kernel) {
        Machine machine = world.machine();
        switch (trouble) {
            case KERNEL_DIES -> machine.fail(kernel, "killed by signal 9", true);
            case KERNEL_DIES_UNSEEN -> machine.fail(kernel, "killed by signal 9", false);
            case KERNEL_STANDS_STILL -> machine.pause(kernel, dice.nanos(100, 20_000));
            case AGENT_DIES -> machine.killAgent(kernel, dice.nanos(10, 15_000));
            case LINE_CUT -> cut(kernel, dice.nanos(50, 10_000));
            case LINE_BAD -> worsen(kernel, dice.nanos(500, 10_000));
            case HALF_OPEN -> halfOpen(kernel);
            default -> {
                // of no single kernel
            }
        }
    }

    void halfOpen(Kernel kernel) {
        world.say("network", () -> "the agent of " + kernel + " forgets its connections");
        List.copyOf(kernel.wires).forEach(wire -> wire.breakOff("forgotten", false));
        world.machine().disturb(kernel, 0);
    }

    void cut(Kernel kernel, long nanos) {
        world.say("network", () -> kernel + " is cut off for " + nanos / 1_000_000 + " ms");
        kernel.line.cutUntilNanos = world.scheduler().now() + nanos;
        world.machine().disturb(kernel, nanos);
    }

    private void worsen(Kernel kernel, long nanos) {
        Line line = kernel.line;
        line.loss = dice.between(0, 3) / 10.0;
        line.duplicate = dice.between(0, 3) / 10.0;
        line.reorder = dice.between(0, 3) / 10.0;
        line.garbage = dice.between(0, 2) / 10.0;
        line.mostDelayMicros = dice.between(1_000, 1_500_000);
        line.badUntilNanos = world.scheduler().now() + nanos;
        world.say(
                "network",
                () -> "the line to " + kernel + " is bad for " + nanos / 1_000_000 + " ms: loss " + line.loss
                        + ", duplicates " + line.duplicate + ", disorder " + line.reorder + ", garbage " + line.garbage
                        + ", delays up to " + line.mostDelayMicros + " us");
        world.machine().disturb(kernel, nanos + line.mostDelayMicros * 1_000L);
    }

    private void disk(String what, Runnable begin, Runnable end) {
        long nanos = dice.nanos(100, 8_000);
        world.say("disk", () -> "it " + what + " for " + nanos / 1_000_000 + " ms");
        begin.run();
        world.scheduler().after(nanos, world.life(), end);
    }
}
