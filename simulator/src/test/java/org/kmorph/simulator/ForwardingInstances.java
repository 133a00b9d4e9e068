// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.Instances;

/** The registry, as it is: a fault changes some of it. */
abstract class ForwardingInstances implements Instances {
    final Instances instances;

    ForwardingInstances(Instances instances) {
        this.instances = instances;
    }

    @Override
    public void awaitRead(Duration patience) throws InstanceException, InterruptedException {
        instances.awaitRead(patience);
    }

    @Override
    public List<Instance> list() {
        return instances.list();
    }

    @Override
    public Optional<Instance> find(String name) {
        return instances.find(name);
    }

    @Override
    public Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException {
        return instances.spawn(spec, timeout);
    }

    @Override
    public void terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException {
        instances.terminate(name, force, timeout);
    }

    @Override
    public Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException {
        return instances.fence(name, why, timeout);
    }

    @Override
    public void release(String name) throws InstanceException, InterruptedException {
        instances.release(name);
    }

    @Override
    public Instance succeed(String name, String successor, String aside)
            throws InstanceException, InterruptedException {
        return instances.succeed(name, successor, aside);
    }

    @Override
    public Instance promote(String standby, String name) throws InstanceException, InterruptedException {
        return instances.promote(standby, name);
    }
}
