// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.kmorph.api.daemon.BundleManager;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.daemon.Directories;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bundle manager as a service. One change at a time; a change ends when the old version has drained, which goes on in the background
 * after the caller was answered: the caller may have come in through the very bundle that is replaced.
 */
@Component(configurationPid = "org.kmorph.deploy", immediate = true)
@Designate(ocd = DeployConfig.class)
public final class Deployer implements BundleManager {
    private static final Logger LOG = LoggerFactory.getLogger(Deployer.class);

    /** What the location of a bundle begins with that was installed in the running daemon. */
    static final String LOCATION = "kmorph:";

    private static final String OURS = "org.kmorph.";

    /** Holds the JNA mappings, whose class loader can never go (JNA keeps it); and what reads the configuration before all else. */
    private static final List<String> NEVER_LIVE = List.of("org.kmorph.native");

    /** How long a change waits for the one before it. */
    private static final Duration TURN = Duration.ofSeconds(30);

    /** How long an answer waits for the old version to drain. */
    private static final Duration DRAIN_LOOK = Duration.ofMillis(200);

    private final Semaphore turn = new Semaphore(1);
    private final BundleContext context;
    private final Directories directories;
    private final DeployConfig config;
    private final String platform;
    private final Wirings wirings;
    private final BundleHealth health;
    private final Replacement replacement;
    private final Overrides overrides;
    private final DeployDirectory deployDirectory;

    @Activate
    public Deployer(DeployConfig config, BundleContext context, @Reference ServiceComponentRuntime components)
            throws IOException {
        this.context = context;
        this.config = config;
        directories = Directories.of(context);
        wirings = new Wirings(context);
        health = new BundleHealth(components);
        replacement = new Replacement(context, wirings, health, Duration.ofSeconds(config.health_seconds()));
        overrides = new Overrides(directories.state().resolve("bundles"));
        platform = "reference:" + directories.home().resolve("bundles").toUri();
        deployDirectory = new DeployDirectory(directories.deploy(), Duration.ofMillis(config.poll_ms()), this);
    }

    @Activate
    void start() {
        deployDirectory.start();
    }

    @Deactivate
    void stop() {
        deployDirectory.stop();
    }

    @Override
    public List<BundleInfo> list() {
        List<BundleInfo> all = new ArrayList<>();
        for (Bundle bundle : context.getBundles()) {
            try {
                all.add(info(bundle));
            } catch (IllegalArgumentException | IllegalStateException e) {
                LOG.debug("{} was uninstalled while the bundles were listed", bundle);
            }
        }
        all.addAll(deployDirectory.refused());
        return all;
    }

    private BundleInfo info(Bundle bundle) {
        List<String> problems = new ArrayList<>();
        health.problems(bundle).forEach((component, problem) -> problems.add(component + " " + problem));
        boolean onDemand = bundle.adapt(BundleStartLevel.class).getStartLevel()
                > context.getBundle(0).adapt(FrameworkStartLevel.class).getStartLevel();
        boolean worksAsIs =
                bundle.getBundleId() == 0 || onDemand || bundle.getState() == Bundle.ACTIVE && problems.isEmpty();
        return new BundleInfo(
                bundle.getBundleId(),
                String.valueOf(bundle.getSymbolicName()),
                bundle.getVersion().toString(),
                state(bundle),
                bundle.adapt(BundleStartLevel.class).getStartLevel(),
                origin(bundle),
                worksAsIs ? Optional.empty() : Optional.of(String.join("; ", problems)));
    }

    private static String state(Bundle bundle) {
        return switch (bundle.getState()) {
            case Bundle.ACTIVE -> "ACTIVE";
            case Bundle.STARTING -> "STARTING";
            case Bundle.STOPPING -> "STOPPING";
            case Bundle.RESOLVED -> "RESOLVED";
            default -> "INSTALLED";
        };
    }

    private Origin origin(Bundle bundle) {
        String name = String.valueOf(bundle.getSymbolicName());
        if (name.startsWith(OURS)) {
            return Origin.OURS;
        }
        return bundle.getBundleId() == 0 || bundle.getLocation().startsWith(platform)
                ? Origin.PLATFORM
                : Origin.DEPLOYED;
    }

    private StagedFile staged(Path file) throws DeploymentException, IOException {
        return StagedFile.of(file, directories.cache());
    }

    private JarCheck check() throws IOException {
        return new JarCheck(
                config.require_signed()
                        ? Optional.of(TrustedSigners.read(directories.etc().resolve("trusted")))
                        : Optional.empty());
    }

    /** A verified jar whose bundle may be changed while the daemon runs. */
    private Jar verified(StagedFile file) throws DeploymentException, IOException {
        Jar jar = check().verify(file);
        Optional<Bundle> old = wirings.find(jar.symbolicName());
        if (NEVER_LIVE.contains(jar.symbolicName())
                || old.filter(bundle -> origin(bundle) == Origin.PLATFORM).isPresent()) {
            throw new DeploymentException(jar.symbolicName()
                    + " is part of the platform, which changes only by a restart: unpack a newer distribution");
        }
        return jar;
    }

    private void refuseIfThere(Jar jar) throws DeploymentException {
        if (wirings.isThere(jar.symbolicName(), jar.version())) {
            throw new DeploymentException(
                    jar.symbolicName() + " " + jar.version() + " is there already; give the new one another version");
        }
    }

    @Override
    public Plan plan(Path file) throws DeploymentException, IOException {
        try (StagedFile staged = staged(file)) {
            Jar jar = verified(staged);
            refuseIfThere(jar);
            Optional<Bundle> old = wirings.find(jar.symbolicName());
            return new Plan(
                    jar.symbolicName(),
                    jar.version().toString(),
                    old.map(bundle -> bundle.getVersion().toString()),
                    old.map(wirings::dependents).orElse(List.of()).stream()
                            .map(Bundle::getSymbolicName)
                            .toList());
        }
    }

    @Override
    public BundleInfo install(Path file) throws DeploymentException, IOException, InterruptedException {
        try (StagedFile staged = staged(file)) {
            Jar jar = verified(staged);
            if (wirings.find(jar.symbolicName()).isPresent()) {
                throw new DeploymentException(jar.symbolicName() + " is installed already; use update");
            }
            return change(jar, true);
        }
    }

    @Override
    public BundleInfo update(Path file) throws DeploymentException, IOException, InterruptedException {
        try (StagedFile staged = staged(file)) {
            Jar jar = verified(staged);
            if (wirings.find(jar.symbolicName()).isEmpty()) {
                throw new DeploymentException(jar.symbolicName() + " is not installed; use install");
            }
            return change(jar, true);
        }
    }

    /**
     * Installs or updates from {@code deploy/}, which itself says what is to be there after a restart. What is there already from the
     * same bytes, because an earlier version of this component put it there, is taken as it is.
     */
    BundleInfo deploy(Path file) throws DeploymentException, IOException, InterruptedException {
        try (StagedFile staged = staged(file)) {
            Jar jar = verified(staged);
            Optional<Bundle> there = wirings.at(jar.location());
            return there.isPresent() ? info(there.get()) : change(jar, false);
        }
    }

    private BundleInfo change(Jar jar, boolean lasting) throws DeploymentException, IOException, InterruptedException {
        takeTurn();
        boolean retiring = false;
        try {
            refuseIfThere(jar);
            Optional<Bundle> old = wirings.find(jar.symbolicName());
            Optional<Path> kept = lasting ? Optional.of(overrides.keep(jar)) : Optional.empty();
            Bundle placed = replacement.place(jar, old);
            replacement.start(placed, old);
            if (kept.isPresent()) {
                overrides.record(jar, kept.get());
            }
            LOG.info(
                    "{} {} runs{}",
                    jar.symbolicName(),
                    jar.version(),
                    old.map(bundle -> ", in place of " + bundle.getVersion()).orElse(""));
            BundleInfo info = info(placed);
            if (old.isPresent()) {
                retiring = true;
                retire(old.get());
            }
            return info;
        } finally {
            if (!retiring) {
                turn.release();
            }
        }
    }

    private void takeTurn() throws DeploymentException, InterruptedException {
        if (!turn.tryAcquire(TURN.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new DeploymentException(
                    "another bundle is being changed, or still drains its old version; try again when that has ended");
        }
    }

    private void retire(Bundle old) throws InterruptedException {
        inBackground(() -> replacement.retire(old));
    }

    /** And gives the turn back at its end. The caller waits only so long as that is sure to harm nobody. */
    private void inBackground(Runnable change) throws InterruptedException {
        Thread drain = new DaemonThreads("kmorph-bundle-drain").newThread(() -> {
            try {
                change.run();
            } finally {
                turn.release();
            }
        });
        drain.start();
        drain.join(DRAIN_LOOK.toMillis());
    }

    @Override
    public void uninstall(String symbolicName) throws DeploymentException, IOException, InterruptedException {
        takeTurn();
        boolean retiring = false;
        try {
            Bundle bundle = changeable(symbolicName);
            overrides.recordRemoval(symbolicName);
            retiring = true;
            retire(bundle);
            LOG.info("{} was uninstalled", symbolicName);
        } finally {
            if (!retiring) {
                turn.release();
            }
        }
    }

    /**
     * Takes out what was deployed from a file that is no longer in {@code deploy/}; what it had replaced comes back.
     */
    void undeploy(String symbolicName) throws DeploymentException, IOException, InterruptedException {
        Optional<Path> original = original(symbolicName);
        if (original.isPresent()) {
            try (StagedFile staged = staged(original.get())) {
                change(new JarCheck(Optional.empty()).verify(staged), false);
            }
            return;
        }
        takeTurn();
        Optional<Bundle> bundle = wirings.find(symbolicName);
        if (bundle.isPresent()) {
            retire(bundle.get());
        } else {
            turn.release();
        }
    }

    /** The distribution's own jar of a bundle, if it has one. */
    private Optional<Path> original(String symbolicName) throws IOException {
        List<Path> jars;
        try (Stream<Path> found =
                Files.find(directories.home().resolve("bundles"), 2, (path, attributes) -> path.toString()
                        .endsWith(".jar"))) {
            jars = found.toList();
        }
        for (Path jar : jars) {
            if (JarCheck.symbolicName(jar).filter(symbolicName::equals).isPresent()) {
                return Optional.of(jar);
            }
        }
        return Optional.empty();
    }

    @Override
    public void refresh(String symbolicName) throws DeploymentException, InterruptedException {
        takeTurn();
        boolean rewiring = false;
        try {
            Bundle bundle = changeable(symbolicName);
            rewiring = true;
            inBackground(() -> replacement.rewire(bundle));
        } finally {
            if (!rewiring) {
                turn.release();
            }
        }
    }

    private Bundle changeable(String symbolicName) throws DeploymentException {
        Bundle bundle = wirings.find(symbolicName)
                .orElseThrow(() -> new DeploymentException(
                        "there is no bundle \"" + symbolicName + "\"; `bundle list` shows all"));
        if (origin(bundle) == Origin.PLATFORM || NEVER_LIVE.contains(symbolicName)) {
            throw new DeploymentException(symbolicName + " is part of the platform, which changes only by a restart");
        }
        return bundle;
    }
}
