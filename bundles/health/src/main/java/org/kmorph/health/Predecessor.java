// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Optional;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/** The monitor of another version of this bundle, while one is replaced by the other: it says what it knows as long as it is there. */
final class Predecessor {
    private final BundleContext context;

    Predecessor(BundleContext context) {
        this.context = context;
    }

    /** What it knows of an instance. */
    Optional<HealthReport> report(String instance) {
        try {
            for (ServiceReference<HealthMonitor> other : context.getServiceReferences(HealthMonitor.class, null)) {
                if (!other.getBundle().equals(context.getBundle())) {
                    Optional<HealthReport> known =
                            Optional.ofNullable(context.getService(other)).flatMap(monitor -> monitor.report(instance));
                    context.ungetService(other);
                    if (known.isPresent()) {
                        return known;
                    }
                }
            }
            return Optional.empty();
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
