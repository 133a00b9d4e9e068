// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.morph.core.Event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The two kernels of a morph as instances: which is which, whatever they are called, and how they come and go. What is here blocks.
 * Thread-safe.
 */
final class Kernels {
    private static final Logger LOG = LoggerFactory.getLogger(Kernels.class);

    /** After what another command, a full disk or a bundle that is replaced has stood in the way of. */
    static final Duration ACT_AGAIN = Duration.ofMillis(500);

    private static final Duration SPAWN = Duration.ofSeconds(60);
    private static final Duration END = Duration.ofSeconds(30);

    private final Surroundings around;
    private volatile Plan plan;
    private volatile CompletableFuture<Void> spawning = CompletableFuture.completedFuture(null);

    /** Something that blocks. */
    @FunctionalInterface
    interface Work {
        Event run() throws IOException, InstanceException, InterruptedException;
    }

    Kernels(Plan plan, Surroundings around) {
        this.plan = plan;
        this.around = around;
    }

    /** With the new kernel's id, once that is known. */
    Plan plan() {
        return plan;
    }

    private Optional<Instance> instance(String name) {
        return around.instances().get().find(name);
    }

    /** For who is told of its peer before that is there. */
    long targetId() {
        return instance(plan.target()).map(instance -> (long) instance.id()).orElse(0xffff_ffffL);
    }

    /** The old kernel; what bears its name may be another by now. */
    Optional<Instance> source() {
        return instance(plan.instance()).filter(one -> one.id() == plan.sourceId());
    }

    /** The old kernel, when the new one has the name. */
    Optional<Instance> setAside() {
        return instance(plan.aside());
    }

    /** Takes up again what only something that passes has stood in the way of. */
    Event persisting(Work work) throws IOException, InstanceException, InterruptedException {
        while (true) {
            try {
                return work.run();
            } catch (InstanceException e) {
                if (e.reason() != InstanceException.Reason.NOT_NOW) {
                    throw e;
                }
                LOG.warn("morph of \"{}\": {}", plan.instance(), e.getMessage());
                around.time().sleep(ACT_AGAIN);
            }
        }
    }

    /** Under the name that it has for the morph, or as what the instance is called. */
    Optional<Instance> newKernel() {
        return instance(plan.target()).or(this::named);
    }

    /** A former daemon may have begun to remove it, or to start it, and the registry brings that to its end. */
    Optional<String> targetEnding() {
        Optional<InstanceState> there = instance(plan.target()).map(Instance::state);
        return there.equals(Optional.of(InstanceState.RUNNING)) || there.equals(Optional.of(InstanceState.HELD))
                ? Optional.empty()
                : Optional.of(there.map(state -> "it is " + state).orElse("it is gone"));
    }

    /** The new kernel is being spawned from now on, until {@link #spawned}: whoever ends it waits for that. */
    void spawns() {
        spawning = new CompletableFuture<>();
    }

    void spawned() {
        spawning.complete(null);
    }

    Instance spawn() throws InstanceException, InterruptedException, IOException {
        Instance source = source().orElseThrow(() -> new IOException("it is gone"));
        Instance target = around.instances()
                .get()
                .spawn(source.spec().as(plan.target(), false).succeeding(plan.sourceId(), plan.kernel()), SPAWN);
        plan = plan.toward(target.id());
        return target;
    }

    /** Whoever has its name by then is not fenced in its place. */
    Event fenceSource() throws InstanceException, InterruptedException, IOException {
        if (source().isEmpty()) {
            throw new IOException("it is gone, and its work may be another's by now");
        }
        around.instances().get().fence(plan.instance(), "it could not be reached in a morph", END);
        return new Event.SourceFenced(around.time().nanos());
    }

    /** Healing begins where the name is. Whoever else has it by then is left alone. */
    Event fenceLost() throws InstanceException, InterruptedException, IOException {
        if (named().isEmpty()) {
            throw new IOException("it is gone");
        }
        around.instances().get().fence(plan.instance(), "neither kernel of a morph runs the workload", END);
        return new Event.Done();
    }

    /** The new kernel is the instance now: as long as there are both, nothing that stands in the way lasts. */
    Event takeName() throws InstanceException, InterruptedException {
        while (named().isEmpty()) {
            try {
                around.instances().get().succeed(plan.instance(), plan.target(), plan.aside());
                return new Event.Done();
            } catch (InstanceException e) {
                if (instance(plan.target()).isEmpty()) {
                    throw e;
                }
                if (instance(plan.instance()).isEmpty()) {
                    LOG.warn("\"{}\" was terminated while it was morphed: so is its new kernel", plan.instance());
                    return ended(plan.target());
                }
                LOG.warn("morph of \"{}\": its name is still the old kernel's: {}", plan.instance(), e.getMessage());
                around.time().sleep(ACT_AGAIN);
            }
        }
        return new Event.Done();
    }

    /** The new kernel, when it has the name. */
    private Optional<Instance> named() {
        return instance(plan.instance()).filter(one -> plan.targetId().equals(Optional.of(one.id())));
    }

    /** The old kernel is the instance again. */
    Event takeNameBack() throws InstanceException, InterruptedException {
        while (source().isEmpty()) {
            try {
                around.instances().get().succeed(plan.instance(), plan.aside(), plan.target());
            } catch (InstanceException e) {
                if (instance(plan.aside()).isEmpty()) {
                    throw e;
                }
                if (instance(plan.instance()).isEmpty()) {
                    LOG.warn("\"{}\" was terminated while it was morphed: so is its old kernel", plan.instance());
                    return ended(plan.aside());
                }
                LOG.warn("morph of \"{}\": its name is still the new kernel's: {}", plan.instance(), e.getMessage());
                around.time().sleep(ACT_AGAIN);
            }
        }
        return new Event.Done();
    }

    /** Until it is gone, or a person has to see to it. One that is being spawned still is waited for first. */
    Event ended(String name) throws InstanceException, InterruptedException {
        try {
            around.time().await(spawning, SPAWN.multipliedBy(2));
        } catch (TimeoutException | ExecutionException e) {
            LOG.warn("morph of \"{}\": its spawn does not come to an end", plan.instance());
        }
        while (true) {
            try {
                terminate(name);
                return new Event.Done();
            } catch (InstanceException e) {
                if (instance(name).map(Instance::state).equals(Optional.of(InstanceState.HELD))) {
                    throw e;
                }
                LOG.warn("morph of \"{}\": {}", plan.instance(), e.getMessage());
                around.time().sleep(ACT_AGAIN);
            }
        }
    }

    /** Ends an instance if there is one. */
    void terminate(String name) throws InstanceException, InterruptedException {
        if (instance(name).isPresent()) {
            boolean force = instance(name).map(Instance::state).equals(Optional.of(InstanceState.HELD));
            around.instances().get().terminate(name, force, END);
        }
    }
}
