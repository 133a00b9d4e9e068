// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.InFlight;
import org.kmorph.api.daemon.Succession;
import org.kmorph.api.host.KernelHost;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport;
import org.osgi.framework.BundleContext;
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
 * journal, and each instance is resumed as soon as its host is there. Calls that come before wait, at most {@link #PATIENCE}.
 */
@Component(configurationPid = "org.kmorph.instances", immediate = true)
@Designate(ocd = Registry.Config.class)
public final class Registry implements Instances {
    private static final Logger LOG = LoggerFactory.getLogger(Registry.class);

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** The configuration, {@code etc/org.kmorph.instances.cfg}. */
    @ObjectClassDefinition(name = "kmorph instances")
    public @interface Config {
        @AttributeDefinition(description = "how many instances there may be at once", min = "1", max = "10000")
        int max_instances() default 1000;
    }

    private final Announcer announcer = new Announcer();
    private final Hosts hosts = new Hosts();
    private final Agents agents = new Agents();
    private final InFlight inFlight = new InFlight();
    private final CountDownLatch loaded = new CountDownLatch(1);
    private final Ledger ledger;
    private final Keeper keeper;
    private final Thread successor;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Journal journal;

    @Activate
    public Registry(Config config, BundleContext context, @Reference TimeSource time) throws IOException {
        Path directory = Files.createDirectories(Directories.of(context).state().resolve("instances"));
        ledger = new Ledger(() -> journal, time, announcer, config.max_instances());
        keeper = new Keeper(directory, ledger, hosts, agents, announcer);
        successor = new Thread(() -> succeed(directory.resolve("lock")), "kmorph-instances");
        successor.setDaemon(true);
    }

    @Activate
    void begin() {
        successor.start();
    }

    /** Waits for the predecessor to stop, takes over, and holds the right to act until this one is stopped in turn. */
    private void succeed(Path lock) {
        try (Succession right = Succession.await(lock)) {
            LOG.debug("acting under {}", right);
            keeper.takeOver();
            loaded.countDown();
            new CountDownLatch(1).await();
        } catch (IOException e) {
            LOG.error("the instances cannot be read: {}", e.getMessage(), e);
        } catch (InterruptedException e) {
            LOG.debug("stopped");
        }
    }

    @Deactivate
    void stop() throws InterruptedException {
        inFlight.drain(PATIENCE);
        keeper.close();
        successor.interrupt();
        successor.join();
        announcer.close();
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addHost(KernelHost host) {
        hosts.add(host);
        keeper.hostCame(host.name());
    }

    void removeHost(KernelHost host) {
        hosts.remove(host);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addTransport(Transport transport) {
        agents.add(transport);
    }

    void removeTransport(Transport transport) {
        agents.remove(transport);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addListener(InstanceListener listener) {
        announcer.add(listener, ledger::list);
    }

    void removeListener(InstanceListener listener) {
        announcer.remove(listener);
    }

    @Override
    public List<Instance> list() {
        return ledger.list();
    }

    @Override
    public Optional<Instance> find(String name) {
        return ledger.find(name).map(InstanceRecord::instance);
    }

    @Override
    public Instance spawn(InstanceSpec spec, Duration timeout) throws InstanceException, InterruptedException {
        return acting(() -> keeper.spawn(spec, timeout));
    }

    @Override
    public void terminate(String name, boolean force, Duration timeout) throws InstanceException, InterruptedException {
        acting(() -> keeper.terminate(name, force, timeout));
    }

    @Override
    public Instance fence(String name, String why, Duration timeout) throws InstanceException, InterruptedException {
        return acting(() -> keeper.fence(name, why, timeout));
    }

    @Override
    public void release(String name) throws InstanceException, InterruptedException {
        acting(() -> keeper.release(name));
    }

    private Instance acting(Action action) throws InstanceException, InterruptedException {
        try (InFlight.Call call = inFlight.enter()) {
            if (!loaded.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new InstanceException(
                        Reason.TIMED_OUT, "the instances are not read from the journal yet; try again, or see the log");
            }
            return action.run();
        }
    }

    /** A change of an instance, which answers with what became of it. */
    @FunctionalInterface
    private interface Action {
        Instance run() throws InstanceException, InterruptedException;
    }
}
