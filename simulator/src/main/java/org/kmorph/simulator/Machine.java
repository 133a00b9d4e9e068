// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.kmorph.kmp.message.WorkloadState;

/** The machine that daemons come and go on: its kernels and its directories. What happens to kernels happens here. */
final class Machine {
    static final String RELEASE = "6.1.0-sim";

    private final World world;

    /** By id; of an id that was used twice, the newer. */
    private final Map<Integer, Kernel> kernels = new HashMap<>();

    private final List<Kernel> running = new ArrayList<>();
    private final Set<Integer> directories = new HashSet<>();
    private int lastId;

    Machine(World world) {
        this.world = world;
    }

    Optional<Kernel> kernel(int id) {
        return Optional.ofNullable(kernels.get(id));
    }

    /** All that were ever started for the workload of that name. */
    Stream<Kernel> kernels(String name) {
        return kernels.values().stream().filter(kernel -> kernel.work.of.equals(name));
    }

    /** Those that run, oldest first. */
    List<Kernel> running() {
        return running;
    }

    Set<Integer> directories() {
        return directories;
    }

    /** The highest id that anything was made for. */
    int lastId() {
        return lastId;
    }

    void makeDirectory(int id) {
        directories.add(id);
        lastId = Math.max(lastId, id);
    }

    /** @param held whether its workload waits until somebody has it begin */
    Kernel start(int id, String name, boolean held, long bootNanos) {
        Dice dice = world.hosts();
        Kernel kernel = new Kernel(
                world,
                id,
                name,
                new Work(Work.of(name), WorkloadState.HELD),
                dice.nextLong() | 1,
                dice.chance(0.5),
                world.scheduler().now() + bootNanos);
        kernels.put(id, kernel);
        running.add(kernel);
        if (!held) {
            world.judge().ownership().begins(kernel);
        }
        world.say("machine", () -> kernel + " is started; its agent listens in " + bootNanos / 1_000_000 + " ms");
        return kernel;
    }

    /** It runs no more, by itself or by its host. */
    void stop(Kernel kernel, String how) {
        if (!kernel.runs()) {
            return;
        }
        world.say("machine", () -> kernel + " runs no more: " + how);
        running.remove(kernel);
        world.scheduler().end(kernel.life);
        kernel.disturbedNanos = world.scheduler().now();
        List.copyOf(kernel.wires).forEach(wire -> wire.breakOff("the peer is gone", kernel.loud));
    }

    /** It ends without having been asked to; its host sees that, now or never. */
    void fail(Kernel kernel, String how, boolean seen) {
        stop(kernel, how + (seen ? "" : ", and nobody sees it"));
        kernel.ended = Optional.of(how);
        if (seen && kernel.watcher.isPresent()) {
            world.scheduler().after(1_000_000, kernel.watcherLife, () -> kernel.watcher
                    .get()
                    .ended(how));
        }
    }

    void pause(Kernel kernel, long nanos) {
        world.say("machine", () -> kernel + " stands still for " + nanos / 1_000_000 + " ms");
        kernel.life.pauseUntil(world.scheduler().now() + nanos);
        disturb(kernel, nanos);
    }

    /**
     * Its agent dies on a kernel that lives, which starts it again after a while; or at the end of its lease, where the workload stands
     * still.
     */
    void killAgent(Kernel kernel, long nanos) {
        if (kernel.agentDead()) {
            return;
        }
        boolean frozen = kernel.work.state == WorkloadState.FROZEN;
        long wait = frozen
                ? Math.max(0, kernel.morphs.leaseEndNanos() - world.scheduler().now())
                : nanos;
        world.say("machine", () -> "the agent of " + kernel + " dies; started again in " + wait / 1_000_000 + " ms");
        kernel.agentDead(true);
        kernel.agentForgot = true;
        List.copyOf(kernel.wires).forEach(wire -> wire.breakOff("the agent is gone", true));
        world.scheduler().after(wait, kernel.life, () -> {
            kernel.agentDead(false);
            kernel.morphs.restart();
            world.say("machine", () -> "the agent of " + kernel + " is there again");
        });
    }

    /** Something is done to it that may make it look dead until then, and as long after as anybody takes to find that out. */
    void disturb(Kernel kernel, long nanos) {
        kernel.disturbedNanos =
                Math.max(kernel.disturbedNanos, world.scheduler().now() + nanos);
    }

    /** Power fails: all kernels with it. */
    void powerFails() {
        List.copyOf(running).forEach(kernel -> {
            stop(kernel, "power has failed");
            kernel.ended = Optional.of("the machine was started again");
        });
    }
}
