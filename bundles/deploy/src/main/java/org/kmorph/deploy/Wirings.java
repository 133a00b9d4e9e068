// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;
import org.osgi.framework.namespace.PackageNamespace;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.BundleWire;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.framework.wiring.FrameworkWiring;

/** Who is wired to whom in the framework. */
final class Wirings {
    private final BundleContext context;

    Wirings(BundleContext context) {
        this.context = context;
    }

    /** The bundle of this name; of two, while one replaces the other, the newest version. */
    Optional<Bundle> find(String symbolicName) {
        Optional<Bundle> found = Optional.empty();
        for (Bundle bundle : context.getBundles()) {
            if (symbolicName.equals(bundle.getSymbolicName())
                    && found.map(other -> other.getVersion().compareTo(bundle.getVersion()) <= 0)
                            .orElse(true)) {
                found = Optional.of(bundle);
            }
        }
        return found;
    }

    /** The bundle that was installed from these very bytes. */
    Optional<Bundle> at(String location) {
        return Optional.ofNullable(context.getBundle(location));
    }

    boolean isThere(String symbolicName, Version version) {
        for (Bundle bundle : context.getBundles()) {
            if (symbolicName.equals(bundle.getSymbolicName()) && version.equals(bundle.getVersion())) {
                return true;
            }
        }
        return false;
    }

    /** The other bundles that are stopped and started when this one goes, because they use its packages. */
    List<Bundle> dependents(Bundle bundle) {
        return context.getBundle(0).adapt(FrameworkWiring.class).getDependencyClosure(List.of(bundle)).stream()
                .filter(other -> !other.equals(bundle))
                .sorted()
                .toList();
    }

    /** The services of this kind that a bundle offers. */
    <T> List<T> services(Bundle bundle, Class<T> kind) {
        return Stream.ofNullable(bundle.getRegisteredServices())
                .flatMap(Arrays::stream)
                .filter(service -> List.of((String[]) service.getProperty(Constants.OBJECTCLASS))
                        .contains(kind.getName()))
                .map(context::getService)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    /** Resolves a bundle that was installed and not started. @return why it does not resolve; empty when it did */
    Optional<String> resolve(Bundle bundle) {
        if (context.getBundle(0).adapt(FrameworkWiring.class).resolveBundles(List.of(bundle))) {
            return Optional.empty();
        }
        try {
            // Starting what does not resolve starts nothing, and is how the framework tells the reason.
            bundle.start(Bundle.START_TRANSIENT);
            return Optional.of("the framework gave no reason");
        } catch (BundleException e) {
            return Optional.of(e.getMessage());
        }
    }

    /** What users of the old version need and the new one does not give; empty for nothing. */
    List<String> unsatisfied(Bundle old, Bundle successor) {
        List<BundleCapability> offered =
                successor.adapt(BundleRevision.class).getDeclaredCapabilities(PackageNamespace.PACKAGE_NAMESPACE);
        List<String> missing = new ArrayList<>();
        BundleWiring wiring = old.adapt(BundleWiring.class);
        if (wiring == null) {
            return missing;
        }
        for (BundleWire wire : wiring.getProvidedWires(PackageNamespace.PACKAGE_NAMESPACE)) {
            if (offered.stream().noneMatch(wire.getRequirement()::matches)) {
                missing.add(wire.getRequirer().getSymbolicName() + " needs "
                        + wire.getRequirement().getDirectives().get("filter"));
            }
        }
        return missing;
    }
}
