// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/** Whether a bundle works: it is active, and its declarative-services components are satisfied and did not fail. */
final class BundleHealth {
    private static final String CAUSED_BY = "Caused by: ";

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(5);

    private final ServiceComponentRuntime components;

    BundleHealth(ServiceComponentRuntime components) {
        this.components = components;
    }

    /** The components that do not work, with the reason, by name. */
    Map<String, String> problems(Bundle bundle) {
        Map<String, String> problems = new TreeMap<>();
        if (bundle.getState() != Bundle.ACTIVE) {
            problems.put("bundle", "it is not active");
            return problems;
        }
        for (ComponentDescriptionDTO description : components.getComponentDescriptionDTOs(bundle)) {
            for (ComponentConfigurationDTO configured : components.getComponentConfigurationDTOs(description)) {
                if (configured.state == ComponentConfigurationDTO.FAILED_ACTIVATION) {
                    problems.put(description.name, "failed: " + cause(configured.failure));
                } else if (configured.state == ComponentConfigurationDTO.UNSATISFIED_REFERENCE) {
                    problems.put(description.name, "waits for " + waitsFor(description, configured));
                }
            }
        }
        return problems;
    }

    /** By the interfaces: the names of references are often the framework's own inventions. */
    private static String waitsFor(ComponentDescriptionDTO description, ComponentConfigurationDTO configured) {
        return Arrays.stream(configured.unsatisfiedReferences)
                .flatMap(unsatisfied -> Arrays.stream(description.references)
                        .filter(reference -> reference.name.equals(unsatisfied.name)))
                .map(reference -> reference.interfaceName)
                .distinct()
                .collect(Collectors.joining(", "));
    }

    /** Of a stack trace, what it all came from: activation fails within layers of reflection, which say nothing. */
    private static String cause(String failure) {
        return failure == null
                ? "no reason was given"
                : failure.lines()
                        .filter(line -> line.startsWith(CAUSED_BY))
                        .reduce((first, second) -> second)
                        .map(line -> line.substring(CAUSED_BY.length()))
                        .or(() -> failure.lines().findFirst())
                        .orElse("no reason was given");
    }

    /**
     * Waits until the bundle has no problem but those that its predecessor had too: a component that waits for what nobody offers is no
     * fault of the new version.
     *
     * @return the problems that are left when the time is over; empty when it is healthy
     */
    Map<String, String> await(Bundle bundle, Map<String, String> predecessors, Duration window)
            throws InterruptedException {
        long deadline = System.nanoTime() + window.toNanos();
        Map<String, String> left = left(bundle, predecessors);
        while (!left.isEmpty() && System.nanoTime() < deadline) {
            TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
            left = left(bundle, predecessors);
        }
        return left;
    }

    private Map<String, String> left(Bundle bundle, Map<String, String> predecessors) {
        Map<String, String> left = problems(bundle);
        left.keySet().removeAll(predecessors.keySet());
        return left;
    }
}
