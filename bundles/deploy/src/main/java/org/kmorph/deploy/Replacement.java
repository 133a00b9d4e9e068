// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.kmorph.api.daemon.BundleManager.DeploymentException;
import org.kmorph.api.daemon.RestartListener;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a verified jar into the framework, beside the bundle that it replaces, or takes it out again when it does not work. */
final class Replacement {
    private static final Logger LOG = LoggerFactory.getLogger(Replacement.class);

    /** Dropped-in bundles start above ours. */
    private static final int DEPLOYED_LEVEL = 30;

    private final BundleContext context;
    private final Wirings wirings;
    private final BundleHealth health;
    private final Duration window;

    Replacement(BundleContext context, Wirings wirings, BundleHealth health, Duration window) {
        this.context = context;
        this.wirings = wirings;
        this.health = health;
        this.window = window;
    }

    /**
     * Installs a bundle and resolves it, in a dry run or for good. Nothing else in the framework changes by that.
     *
     * @throws DeploymentException when it does not resolve, or lacks what users of the old one need; it is then out again
     */
    Bundle place(Jar jar, Optional<Bundle> old) throws DeploymentException, IOException {
        Bundle placed = install(jar);
        placed.adapt(BundleStartLevel.class)
                .setStartLevel(
                        old.map(bundle -> bundle.adapt(BundleStartLevel.class).getStartLevel())
                                .orElse(DEPLOYED_LEVEL));
        Optional<String> problem = wirings.resolve(placed);
        if (problem.isPresent()) {
            remove(placed);
            throw new DeploymentException(jar.source() + " does not resolve: " + problem.get());
        }
        List<String> missing =
                old.map(bundle -> wirings.unsatisfied(bundle, placed)).orElse(List.of());
        if (!missing.isEmpty()) {
            remove(placed);
            throw new DeploymentException(jar.symbolicName() + " " + jar.version() + " lacks what others need: "
                    + String.join("; ", missing));
        }
        return placed;
    }

    private Bundle install(Jar jar) throws DeploymentException, IOException {
        try (InputStream content = Files.newInputStream(jar.file())) {
            return context.getBundle(0).getBundleContext().installBundle(jar.location(), content);
        } catch (BundleException e) {
            throw new DeploymentException(jar.source() + " cannot be installed: " + e.getMessage(), e);
        }
    }

    /** Takes a bundle out. One that is half out already is as good as out. */
    void remove(Bundle bundle) {
        try {
            bundle.uninstall();
        } catch (BundleException | IllegalStateException e) {
            LOG.warn("{} could not be uninstalled: {}", bundle, e.getMessage());
        }
    }

    /**
     * Starts a placed bundle and waits until it is healthy.
     *
     * @throws DeploymentException when it does not become so; it is then out again and the old one as it was
     */
    void start(Bundle placed, Optional<Bundle> old) throws DeploymentException, InterruptedException {
        Map<String, String> predecessors = old.map(health::problems).orElse(Map.of());
        String what = placed.getSymbolicName() + " " + placed.getVersion();
        try {
            placed.start(Bundle.START_ACTIVATION_POLICY);
        } catch (BundleException e) {
            remove(placed);
            throw new DeploymentException(what + " does not start: " + e.getMessage() + kept(old), e);
        }
        Map<String, String> left;
        try {
            left = health.await(placed, predecessors, window);
        } catch (InterruptedException e) {
            remove(placed);
            throw e;
        }
        if (!left.isEmpty()) {
            remove(placed);
            String why = left.entrySet().stream()
                    .map(problem -> problem.getKey() + " " + problem.getValue())
                    .collect(Collectors.joining("; "));
            throw new DeploymentException(
                    what + " did not become healthy within " + window.toSeconds() + " s: " + why + kept(old));
        }
    }

    private static String kept(Optional<Bundle> old) {
        return old.map(bundle -> "; version " + bundle.getVersion() + " stays").orElse("");
    }

    /**
     * Takes the old version out, and wires anew all that used it. Its components drain what they are in the middle of.
     */
    void retire(Bundle old) {
        List<Bundle> dependents = wirings.dependents(old);
        warn(dependents);
        remove(old);
        if (!dependents.isEmpty()) {
            refresh(old);
        }
    }

    /** Wires a bundle anew, and all that use it. */
    void rewire(Bundle bundle) {
        List<Bundle> restarted = new ArrayList<>(wirings.dependents(bundle));
        restarted.add(bundle);
        warn(restarted);
        refresh(bundle);
    }

    private void refresh(Bundle bundle) {
        context.getBundle(0).adapt(FrameworkWiring.class).refreshBundles(List.of(bundle));
    }

    private void warn(List<Bundle> restarted) {
        for (Bundle bundle : restarted) {
            for (RestartListener listener : wirings.services(bundle, RestartListener.class)) {
                try {
                    listener.restarting();
                } catch (RuntimeException e) {
                    LOG.warn("{} failed at what it does before a restart", bundle, e);
                }
            }
        }
    }
}
