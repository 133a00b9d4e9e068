// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
import org.kmorph.api.host.KernelEvents;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.host.KernelImage;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.InstanceSpec;

/** The host as one daemon sees it: makes and ends kernels of the machine, and fails at it as {@link Troubles} has it. */
final class SimulatedHost implements KernelHost {
    static final String NAME = "sim";

    private final World world;
    private final Life daemon;

    SimulatedHost(World world, Life daemon) {
        this.world = world;
        this.daemon = daemon;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public KernelImage inspect(InstanceSpec spec) {
        return new KernelImage(Machine.RELEASE);
    }

    @Override
    public HostedKernel start(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException {
        Troubles troubles = world.troubles();
        world.killPoint(daemon, "starting a kernel for " + id);
        world.time().sleep(Duration.ofNanos(world.hosts().nanos(2, 20)));
        if (troubles.startFails()) {
            world.say("host", () -> "instance " + id + " cannot be started");
            throw new HostException("the simulated host has no room");
        }
        Kernel kernel =
                world.machine().start(id, spec.name(), spec.successorOf().isPresent(), troubles.bootNanos());
        world.judge().started(kernel);
        watch(kernel, events);
        troubles.startedOne(kernel);
        world.killPoint(daemon, "having started a kernel for " + id);
        return hosted(kernel);
    }

    private void watch(Kernel kernel, KernelEvents events) {
        kernel.watcher = Optional.of(events);
        kernel.watcherLife = daemon;
    }

    private HostedKernel hosted(Kernel kernel) {
        Optional<String> ended = kernel.runs() ? Optional.empty() : Optional.of(kernel.ended.orElse("it was ended"));
        return new HostedKernel(kernel.runs(), ended, SimulatedTransport.endpoint(world, kernel.id), List.of());
    }

    @Override
    public HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events)
            throws HostException, InterruptedException {
        world.killPoint(daemon, "adopting " + id);
        world.time().sleep(Duration.ofNanos(world.hosts().nanos(1, 10)));
        Kernel kernel =
                world.machine().kernel(id).orElseThrow(() -> new Violation("adopts " + id + ", which never was"));
        if (world.troubles().adoptFails()) {
            kernel.hostFailed = true;
            throw new HostException("the simulated host cannot tell whether " + id + " runs");
        }
        watch(kernel, events);
        return hosted(kernel);
    }

    @Override
    public void fence(int id, Path directory, Duration patience) throws HostException, InterruptedException {
        world.killPoint(daemon, "fencing " + id);
        Optional<Kernel> found = world.machine().kernel(id);
        if (found.isEmpty()) {
            world.time().sleep(Duration.ofMillis(1));
            return;
        }
        Kernel kernel = found.get();
        world.judge().fencing(kernel);
        Troubles.Fence how = kernel.fencesThatFail > 0
                ? Troubles.Fence.FAILS
                : world.troubles().fence();
        kernel.fencesThatFail--;
        if (how != Troubles.Fence.WORKS) {
            kernel.hostFailed = true;
            if (how == Troubles.Fence.WORKS_AND_SAYS_NO) {
                world.machine().stop(kernel, "fenced, which its host does not see");
            }
            world.time().sleep(patience);
            if (how == Troubles.Fence.WORKS_LATE) {
                world.scheduler().after(world.hosts().nanos(10, 5_000), kernel.life, () -> world.machine()
                        .stop(kernel, "fenced, too late for its host to see"));
            }
            throw new HostException("the simulated host is not certain that " + id + " runs no more");
        }
        world.time().sleep(Duration.ofNanos(world.hosts().nanos(1, 30)));
        world.machine().stop(kernel, "fenced");
        kernel.fenced = true;
        world.killPoint(daemon, "having fenced " + id);
    }

    @Override
    public List<MemoryRange> memory(int id, Path directory) {
        return List.of();
    }

    @Override
    public void release(int id, Path directory) throws HostException, InterruptedException {
        world.killPoint(daemon, "releasing " + id);
        world.time().sleep(Duration.ofNanos(world.hosts().nanos(1, 10)));
        Optional<Kernel> kernel = world.machine().kernel(id);
        if (kernel.isPresent()) {
            if (world.troubles().releaseFails()) {
                kernel.get().hostFailed = true;
                throw new HostException("the simulated host cannot give back what " + id + " had");
            }
            world.judge().releasing(kernel.get());
            kernel.get().released = true;
        }
        world.killPoint(daemon, "having released " + id);
    }
}
