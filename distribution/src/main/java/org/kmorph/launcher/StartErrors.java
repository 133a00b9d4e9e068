// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.util.Optional;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;

/**
 * Bundles that do not start. The daemon runs without most of them and says so in `daemon status`; without its configuration it does
 * not: to run on defaults instead of what a person wrote could open what was meant to be closed.
 */
final class StartErrors implements FrameworkListener {
    private static final String CONFIGURATION = "org.kmorph.config";

    private Optional<String> configuration = Optional.empty();

    @Override
    public synchronized void frameworkEvent(FrameworkEvent event) {
        if (event.getType() != FrameworkEvent.ERROR) {
            return;
        }
        if (CONFIGURATION.equals(event.getBundle().getSymbolicName())) {
            configuration = Optional.of(rootMessage(event.getThrowable()));
        } else {
            System.err.println("kmorphd: bundle " + event.getBundle().getSymbolicName() + ": " + event.getThrowable());
        }
    }

    private static String rootMessage(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage();
    }

    synchronized void check() throws StartException {
        if (configuration.isPresent()) {
            throw new StartException("the configuration is not accepted: " + configuration.get());
        }
    }
}
