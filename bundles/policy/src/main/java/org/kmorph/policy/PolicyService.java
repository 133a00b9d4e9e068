// SPDX-License-Identifier: Apache-2.0
package org.kmorph.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.kmorph.api.daemon.Directories;
import org.kmorph.api.daemon.InFlight;
import org.kmorph.api.daemon.Succession;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicyException;
import org.kmorph.api.policy.PolicyListener;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.PolicyTable;
import org.kmorph.api.policy.Quantities;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policies as a service. It reads the journal when its predecessor has stopped ({@link Succession}), so that nothing that one still
 * wrote is missed. Reading before that waits, at most {@link #PATIENCE}.
 */
@Component(service = Policies.class)
public final class PolicyService implements Policies {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyService.class);

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final BundleContext context;
    private final Tables tables = new Tables();
    private final InFlight inFlight = new InFlight();
    private final CountDownLatch loaded = new CountDownLatch(1);
    private final Desk desk = new Desk(tables, () -> this.journal, this::spawnedTimeout);
    private final Succession succession;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Journal journal;

    @Activate
    public PolicyService(BundleContext context) throws IOException {
        this.context = context;
        Path directory = Files.createDirectories(Directories.of(context).state().resolve("policy"));
        succession = new Succession(
                directory.resolve("lock"),
                "kmorph-policy",
                this::load,
                e -> LOG.error("the policies cannot be read: {}", e.getMessage(), e));
    }

    @Activate
    void begin() {
        succession.begin();
    }

    private void load() throws IOException {
        desk.load();
        loaded.countDown();
    }

    @Deactivate
    void stop() throws InterruptedException {
        inFlight.drain(PATIENCE);
        succession.end();
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void addTable(PolicyTable table) {
        tables.add(table);
        tellOfTables();
    }

    void removeTable(PolicyTable table) {
        tables.remove(table);
        tellOfTables();
    }

    /**
     * Until all is loaded nobody is told: who asks meanwhile waits for that. This service is then perhaps being made for a listener that
     * waits for it, which could not be had.
     */
    private void tellOfTables() {
        if (loaded.getCount() == 0) {
            tell(Optional.empty());
        }
    }

    private void tell(Optional<String> instance) {
        each(PolicyListener.class, listener -> listener.changed(instance));
    }

    /**
     * Calls the services of a type that there are now. These stand above this bundle and have references to it, so they are looked up
     * when they are needed: a reference in either direction would be a circle.
     */
    private <S> void each(Class<S> type, Consumer<S> what) {
        try {
            for (ServiceReference<S> reference : context.getServiceReferences(type, null)) {
                Optional.ofNullable(context.getService(reference)).ifPresent(service -> call(service, what));
                context.ungetService(reference);
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** One that comes from a dropped-in bundle may throw: that is its own trouble. */
    private static <S> void call(S service, Consumer<S> what) {
        try {
            what.accept(service);
        } catch (RuntimeException e) {
            LOG.warn("{} failed", service.getClass().getName(), e);
        }
    }

    private Optional<String> spawnedTimeout(String name) {
        List<Duration> found = new ArrayList<>();
        each(Instances.class, registry -> registry.find(name)
                .flatMap(instance -> instance.spec().heartbeatTimeout())
                .ifPresent(found::add));
        return found.stream().findFirst().map(Quantities::span);
    }

    /** Reads wait until it is known what was set. Without it nobody can be judged, so one that waits too long goes on with the standards. */
    private Desk desk() {
        try {
            if (!loaded.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("the policies are not read from the journal yet; standard values count until they are");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return desk;
    }

    @Override
    public <T> T value(String instance, PolicySetting<T> setting) {
        return desk().value(instance, setting);
    }

    @Override
    public List<Effective> effective(Optional<String> instance) {
        return desk().effective(instance);
    }

    @Override
    public List<PolicySetting<?>> settings() {
        return List.copyOf(tables.settings().values());
    }

    @Override
    public Document export() {
        return desk().document();
    }

    @Override
    public void set(Optional<String> instance, String setting, String value) throws PolicyException {
        change(instance, () -> desk.set(instance, setting, value));
    }

    @Override
    public void unset(Optional<String> instance, String setting) throws PolicyException {
        change(instance, () -> desk.unset(instance, setting));
    }

    @Override
    public void replace(Document document) throws PolicyException {
        change(Optional.empty(), () -> desk.replace(document));
    }

    private void change(Optional<String> instance, Change change) throws PolicyException {
        try (InFlight.Call call = inFlight.enter()) {
            desk();
            if (loaded.getCount() > 0) {
                throw new PolicyException(
                        false,
                        "the policies are not read from the journal yet; try again, or see the log",
                        new IllegalStateException("not loaded"));
            }
            change.make();
        }
        tell(instance);
    }

    /** A change of what is set. */
    @FunctionalInterface
    private interface Change {
        void make() throws PolicyException;
    }
}
