// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.io.IOException;
import java.nio.file.Path;
import org.kmorph.instances.InstanceDirectories;

/** The directories of instances, on the simulated disk. */
final class SimulatedDirectories implements InstanceDirectories {
    private final World world;
    private final Life daemon;

    SimulatedDirectories(World world, Life daemon) {
        this.world = world;
        this.daemon = daemon;
    }

    @Override
    public Path of(int id) {
        return Path.of("/sim", Integer.toString(id));
    }

    @Override
    public void make(int id) throws IOException {
        world.killPoint(daemon, "making directory " + id);
        if (world.disk().full()) {
            throw new IOException("no space left on the device");
        }
        world.machine().makeDirectory(id);
    }

    @Override
    public void remove(int id) {
        world.killPoint(daemon, "removing directory " + id);
        world.machine().directories().remove(id);
    }
}
