// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Installs, updates and removes bundles while the daemon works. Every change is verified whole before anything is touched:
 * the jar is complete, signed where that is required, and resolves in a dry run. Thread-safe; one change at a time.
 */
@ProviderType
public interface BundleManager {
    /** All bundles, by id. */
    List<BundleInfo> list();

    /**
     * Tells what {@link #install} or {@link #update} of this jar would do, and does nothing.
     *
     * @throws DeploymentException when it would be refused; the message says why
     */
    Plan plan(Path jar) throws DeploymentException, IOException;

    /**
     * Installs a bundle that is not there yet and starts it.
     *
     * @throws DeploymentException when it is refused, or does not become healthy; then it is gone again
     */
    BundleInfo install(Path jar) throws DeploymentException, IOException, InterruptedException;

    /**
     * Replaces a bundle: starts the new beside the old, hands over, drains and stops the old. When the new one does not become
     * healthy in its window the old one stays.
     *
     * @throws DeploymentException when it is refused or was put back; the message says which
     */
    BundleInfo update(Path jar) throws DeploymentException, IOException, InterruptedException;

    /** Stops and removes a bundle. @throws DeploymentException for a bundle of the platform, or one not there. */
    void uninstall(String symbolicName) throws DeploymentException, IOException, InterruptedException;

    /** Wires anew all bundles that use this one. @throws DeploymentException when there is none such. */
    void refresh(String symbolicName) throws DeploymentException, InterruptedException;

    /**
     * A bundle.
     *
     * @param id the framework's number for it
     * @param symbolicName its name
     * @param version its version
     * @param state ACTIVE, RESOLVED, INSTALLED, STARTING or STOPPING
     * @param startLevel when it starts; ours have 20, dropped-in ones 30
     * @param origin PLATFORM (never changed live), OURS, or DEPLOYED
     * @param problem why it is not active, where it is not
     */
    record BundleInfo(
            long id,
            String symbolicName,
            String version,
            String state,
            int startLevel,
            Origin origin,
            Optional<String> problem) {}

    /** Where a bundle comes from. */
    enum Origin {
        PLATFORM,
        OURS,
        DEPLOYED
    }

    /**
     * What a change would do.
     *
     * @param symbolicName the bundle in the jar
     * @param version its version
     * @param replaces the version that it would replace, if it is there
     * @param restarts the other bundles that would be stopped and started because they are wired to it, by symbolic name
     */
    record Plan(String symbolicName, String version, Optional<String> replaces, List<String> restarts) {}

    /** A change that was refused or undone; everything is as before. The message says why. */
    final class DeploymentException extends Exception {
        private static final long serialVersionUID = 1L;

        public DeploymentException(String message) {
            super(message);
        }

        public DeploymentException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
