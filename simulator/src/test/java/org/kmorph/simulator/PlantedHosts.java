// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.kmorph.api.host.HostException;
import org.kmorph.api.host.HostedKernel;
import org.kmorph.api.host.KernelEvents;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.host.KernelImage;
import org.kmorph.api.host.MemoryRange;
import org.kmorph.api.instance.InstanceSpec;

/** Hosts with a fault. */
final class PlantedHosts {
    private PlantedHosts() {}

    /** The host, as it is. */
    private static class Honest implements KernelHost {
        private final KernelHost host;

        Honest(KernelHost host) {
            this.host = host;
        }

        @Override
        public String name() {
            return host.name();
        }

        @Override
        public KernelImage inspect(InstanceSpec spec) throws HostException {
            return host.inspect(spec);
        }

        @Override
        public HostedKernel start(int id, InstanceSpec spec, Path directory, KernelEvents events)
                throws HostException, InterruptedException {
            return host.start(id, spec, directory, events);
        }

        @Override
        public HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events)
                throws HostException, InterruptedException {
            return host.adopt(id, spec, directory, events);
        }

        @Override
        public void fence(int id, Path directory, Duration patience) throws HostException, InterruptedException {
            host.fence(id, directory, patience);
        }

        @Override
        public List<MemoryRange> memory(int id, Path directory) throws HostException {
            return host.memory(id, directory);
        }

        @Override
        public void release(int id, Path directory) throws HostException, InterruptedException {
            host.release(id, directory);
        }
    }

    static final class FenceSkipped extends Honest {
        FenceSkipped(KernelHost host) {
            super(host);
        }

        @Override
        public void fence(int id, Path directory, Duration patience) {
            // it will be dead anyway
        }
    }

    static final class FenceBelieved extends Honest {
        FenceBelieved(KernelHost host) {
            super(host);
        }

        @Override
        public void fence(int id, Path directory, Duration patience) throws InterruptedException {
            try {
                super.fence(id, directory, patience);
            } catch (HostException e) {
                // as good as fenced
            }
        }
    }

    static final class AdoptedAsEnded extends Honest {
        AdoptedAsEnded(KernelHost host) {
            super(host);
        }

        @Override
        public HostedKernel adopt(int id, InstanceSpec spec, Path directory, KernelEvents events)
                throws HostException, InterruptedException {
            HostedKernel found = super.adopt(id, spec, directory, events);
            return new HostedKernel(false, found.ended(), found.endpoint(), found.notIsolated());
        }
    }

    static final class ReleaseSkipped extends Honest {
        ReleaseSkipped(KernelHost host) {
            super(host);
        }

        @Override
        public void release(int id, Path directory) {
            // there is enough of everything
        }
    }
}
