// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.vmcore.Capture;
import org.kmorph.api.vmcore.VmcoreException;
import org.kmorph.api.vmcore.Vmcores;

/** Captures that take their time, or fail. Of half of the kernels there is memory: those that are seen to stop like machines. */
final class SimulatedVmcores implements Vmcores {
    private final World world;
    private final Life daemon;

    SimulatedVmcores(World world, Life daemon) {
        this.world = world;
        this.daemon = daemon;
    }

    @Override
    public boolean hasMemory(Instance instance) {
        Scheduler.alive(daemon);
        return world.machine()
                .kernel(instance.id())
                .filter(kernel -> !kernel.loud)
                .isPresent();
    }

    @Override
    public Capture capture(Instance fenced, Duration deadline, Progress progress)
            throws VmcoreException, InterruptedException {
        world.killPoint(daemon, "capturing " + fenced.id());
        world.machine().kernel(fenced.id()).ifPresent(world.judge()::capturing);
        world.time().sleep(Duration.ofNanos(world.hosts().nanos(20, 500)));
        if (world.troubles().captureFails()) {
            throw new VmcoreException("there is no room for the memory of " + fenced.name());
        }
        return new Capture(
                fenced.name(),
                Path.of("/sim/vmcore", fenced.name()),
                world.time().now(),
                1,
                "it is simulated",
                "");
    }

    @Override
    public List<Capture> list() {
        return List.of();
    }
}
