// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.time.TimeSource;

/**
 * Sees to it that whoever has a name now does its work. An agent that does not answer may have died on a kernel that lives, which starts it
 * again: that is waited for. Whether the kernel has failed is for its health to say. Then it makes room for another: nobody could know
 * later that it was never told, should it come back. Blocks.
 */
final class Activation {
    /** How long an agent may be silent: longer than its kernel takes to start another. */
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final Duration FENCE = Duration.ofSeconds(30);

    private static final Duration BETWEEN_TRIES = Duration.ofMillis(200);

    private final Asks asks;
    private final Instances instances;
    private final Predicate<Instance> failed;
    private final TimeSource time;

    /** Has the workload of an instance run. Made again, it changes nothing. */
    @FunctionalInterface
    interface Asks {
        /** @return why it does not, for people */
        Optional<String> activate(Instance bearer, UUID operation) throws InterruptedException;
    }

    /** @param failed whether an instance's health says that it has failed */
    Activation(Asks asks, Instances instances, Predicate<Instance> failed, TimeSource time) {
        this.asks = asks;
        this.instances = instances;
        this.failed = failed;
        this.time = time;
    }

    Healing.Event activate(Instance bearer, UUID operation) throws InterruptedException {
        long deadline = time.nanos() + PATIENCE.toNanos();
        while (true) {
            Optional<String> obstacle = asks.activate(bearer, operation);
            if (obstacle.isEmpty()) {
                return new Healing.Event.Restored(bearer.id());
            }
            Optional<InstanceState> state = state(bearer);
            if (state.isEmpty() || state.get() != InstanceState.RUNNING && state.get() != InstanceState.HELD) {
                return new Healing.Event.Gone();
            }
            if (state.get() == InstanceState.HELD || time.nanos() >= deadline) {
                return new Healing.Event.RestoreFailed(obstacle.get());
            }
            if (failed.test(bearer)) {
                return giveUp(bearer, obstacle.get());
            }
            time.sleep(BETWEEN_TRIES);
        }
    }

    private Healing.Event giveUp(Instance bearer, String obstacle) throws InterruptedException {
        String why = "instance " + bearer.id() + ", which was to do its work, has failed: " + obstacle;
        try {
            instances.fence(bearer.name(), why, FENCE);
            return giveBack(bearer, why);
        } catch (InstanceException e) {
            return new Healing.Event.RestoreFailed(why + "; " + e.getMessage());
        }
    }

    /** One that was given up and is fenced. */
    Healing.Event giveBack(Instance bearer, String why) throws InterruptedException {
        try {
            instances.release(bearer.name());
            return new Healing.Event.RestoreFailed(why);
        } catch (InstanceException e) {
            return new Healing.Event.RestoreFailed(why + "; " + e.getMessage());
        }
    }

    /** Empty when it is gone. */
    private Optional<InstanceState> state(Instance bearer) {
        return instances
                .find(bearer.name())
                .filter(one -> one.id() == bearer.id())
                .map(Instance::state);
    }
}
