// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench.farmhost;

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
import org.kmorph.api.transport.Endpoint;
import org.osgi.service.component.annotations.Component;

/**
 * The kernel host {@code farm}: {@code --kernel} is the directory of a farm that runs already, and the agent of instance N is the one
 * behind its socket N.sock. It starts and ends nothing, and tells of no end: the daemon has the heartbeats alone to find out by.
 */
@Component
public final class FarmHost implements KernelHost {
    @Override
    public String name() {
        return "farm";
    }

    @Override
    public KernelImage inspect(InstanceSpec spec) {
        return new KernelImage("0.0.0-farm");
    }

    @Override
    public HostedKernel start(int id, InstanceSpec spec, Path directory, KernelEvents events) {
        String socket = spec.kernel().resolve(id + ".sock").toString();
        return new HostedKernel(
                true, Optional.empty(), new Endpoint("unix", socket), List.of("an agent of a farm, not a kernel"));
    }

    @Override
    public HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events) {
        return start(id, spec, directory, events);
    }

    @Override
    public void fence(int id, Path directory, Duration patience) {
        // it runs nothing
    }

    @Override
    public List<MemoryRange> memory(int id, Path directory) throws HostException {
        throw new HostException("an agent of a farm has no memory of its own");
    }

    @Override
    public void release(int id, Path directory) {
        // it holds nothing
    }
}
