// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.Listeners;
import org.kmorph.api.daemon.Succession;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport;
import org.kmorph.kmpclient.KmpClient;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry as a service. It becomes the one that acts when its predecessor has stopped ({@link Succession}); then it reads the
 * journal, and each instance is resumed as soon as its host is there. Calls that come before wait, at most {@link Registry#PATIENCE}.
 */
@Component(configurationPid = "org.kmorph.instances", immediate = true)
@Designate(ocd = RegistryComponent.Config.class)
public final class RegistryComponent implements Instances {
    private static final Logger LOG = LoggerFactory.getLogger(RegistryComponent.class);

    /** The configuration, {@code etc/org.kmorph.instances.cfg}. */
    @ObjectClassDefinition(name = "kmorph instances")
    public @interface Config {
        @AttributeDefinition(description = "how many instances there may be at once", min = "1", max = "10000")
        int max_instances() default 1000;
    }

    private final Listeners<InstanceListener> listeners;
    private final Registry registry;
    private final Succession succession;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Journal journal;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile KmpClient client;

    @Activate
    public RegistryComponent(
            Config config, BundleContext context, @Reference TimeSource time, @Reference Randomness randomness)
            throws IOException {
        Path directory = Files.createDirectories(Directories.of(context).instances());
        listeners = new Listeners<>(context);
        registry = new Registry(new RegistrySurroundings(
                new DiskDirectories(directory),
                config.max_instances(),
                () -> this.journal,
                () -> this.client,
                listeners::all,
                time,
                randomness,
                Executors.newCachedThreadPool(new DaemonThreads("kmorph-instance-keeper")),
                Executors.newSingleThreadExecutor(new DaemonThreads("kmorph-instance-events"))));
        succession = new Succession(
                directory.resolve("lock"),
                "kmorph-instances",
                registry::takeOver,
                e -> LOG.error("the instances cannot be read: {}", e.getMessage(), e));
    }

    @Activate
    void begin() {
        succession.begin();
    }

    @Deactivate
    void stop() throws InterruptedException {
        registry.close();
        succession.end();
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addHost(KernelHost host) {
        registry.addHost(host);
    }

    void removeHost(KernelHost host) {
        registry.removeHost(host);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addTransport(Transport transport) {
        registry.addTransport(transport);
    }

    void removeTransport(Transport transport) {
        registry.removeTransport(transport);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void addListener(ServiceReference<InstanceListener> listener) {
        listeners.add(listener);
        registry.listenersChanged();
    }

    void removeListener(ServiceReference<InstanceListener> listener) {
        listeners.remove(listener);
        registry.listenersChanged();
    }

    @Override
    public void awaitRead(Duration patience) throws InstanceException, InterruptedException {
        registry.awaitRead(patience);
    }

    @Override
    public List<Instance> list() {
        return registry.list();
    }

    @Override
    public Optional<Instance> find(String name) {
        return registry.find(name);
    }

    @Override
    public Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException {
        return registry.spawn(spec, timeout);
    }

    @Override
    public void terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException {
        registry.terminate(name, force, timeout);
    }

    @Override
    public Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException {
        return registry.fence(name, why, timeout);
    }

    @Override
    public void release(String name) throws InstanceException, InterruptedException {
        registry.release(name);
    }

    @Override
    public Instance succeed(String name, String successor, String aside)
            throws InstanceException, InterruptedException {
        return registry.succeed(name, successor, aside);
    }

    @Override
    public Instance promote(String standby, String name) throws InstanceException, InterruptedException {
        return registry.promote(standby, name);
    }
}
