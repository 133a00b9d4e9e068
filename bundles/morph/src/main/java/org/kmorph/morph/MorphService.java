// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.Succession;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.morph.StateTransfer;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.StandardPolicy;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.kmpclient.KmpClient;
import org.kmorph.nativeos.Urgency;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The morphs as a service: a {@link Morpher} that becomes the one that acts when its predecessor has stopped. */
@Component(
        configurationPid = "org.kmorph.morph",
        immediate = true,
        service = {Morphs.class, InstanceListener.class})
@Designate(ocd = MorphConfig.class)
public final class MorphService implements Morphs, InstanceListener {
    private static final Logger LOG = LoggerFactory.getLogger(MorphService.class);

    private final Morpher morpher;
    private final Succession succession;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Instances instances;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Journal journal;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile KmpClient client;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Policies policies;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Urgency urgency;

    @Activate
    public MorphService(
            MorphConfig config, BundleContext context, @Reference TimeSource time, @Reference Randomness randomness)
            throws IOException {
        Path directory = Files.createDirectories(Directories.of(context).state().resolve("morph"));
        morpher = new Morpher(
                new Surroundings(
                        () -> instances,
                        () -> journal,
                        () -> client,
                        time,
                        Executors.newCachedThreadPool(new DaemonThreads("kmorph-morph")),
                        Executors.newSingleThreadScheduledExecutor(new DaemonThreads("kmorph-morph-timer")),
                        operation -> new KeptFiles.Place(directory.resolve(operation.toString())),
                        config,
                        () -> urgency,
                        instance -> policies.value(instance, StandardPolicy.MORPH_TIMEOUT)),
                randomness);
        succession = new Succession(
                directory.resolve("lock"),
                "kmorph-morph-succession",
                morpher::takeOver,
                e -> LOG.error("the morphs cannot be read: {}", e.getMessage(), e));
    }

    @Activate
    void begin() {
        succession.begin();
    }

    @Deactivate
    void stop() throws InterruptedException {
        morpher.close();
        succession.end();
    }

    @Override
    public MorphStatus prepare(
            String instance, Path kernel, StateTransfer transfer, Duration timeout, Consumer<MorphStatus> progress)
            throws MorphException, InterruptedException {
        return morpher.prepare(instance, kernel, transfer, timeout, progress);
    }

    @Override
    public MorphStatus dryRun(String instance, Path kernel, StateTransfer transfer, Duration timeout)
            throws MorphException, InterruptedException {
        return morpher.dryRun(instance, kernel, transfer, timeout);
    }

    @Override
    public MorphStatus validate(String instance, Duration timeout) throws MorphException, InterruptedException {
        return morpher.validate(instance, timeout);
    }

    @Override
    public MorphStatus commit(String instance, Duration timeout) throws MorphException, InterruptedException {
        return morpher.commit(instance, timeout);
    }

    @Override
    public MorphStatus rollback(String instance) throws MorphException, InterruptedException {
        return morpher.rollback(instance);
    }

    @Override
    public Optional<MorphStatus> find(String instance) {
        return morpher.find(instance);
    }

    @Override
    public List<MorphStatus> list() {
        return morpher.list();
    }

    @Override
    public void changed(Instance instance) {
        // names and states are asked for when they matter
    }

    @Override
    public void gone(Instance instance) {
        // as above
    }

    @Override
    public void ended(Instance instance, String how) {
        morpher.ended(instance.id(), how);
    }
}
