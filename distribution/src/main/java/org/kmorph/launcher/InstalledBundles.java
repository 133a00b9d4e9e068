// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;

/**
 * Installs the distribution's bundles: {@code bundles/LEVEL/*.jar}, where LEVEL is the start level. The framework's own cache is
 * emptied at every start, so what runs is always what lies there.
 */
final class InstalledBundles {
    private InstalledBundles() {}

    static void install(Settings settings, BundleContext framework) throws StartException {
        try (Stream<Path> found =
                Files.find(settings.home().resolve("bundles"), 2, (path, attributes) -> path.toString()
                        .endsWith(".jar"))) {
            List<Path> jars = found.sorted().toList();
            for (Path jar : jars) {
                install(framework, jar, level(jar));
            }
        } catch (IOException e) {
            throw new StartException("the distribution in " + settings.home() + " is not whole: " + e.getMessage(), e);
        }
    }

    private static int level(Path jar) throws StartException {
        String directory = jar.getParent().getFileName().toString();
        if (!directory.matches("[0-9]{1,2}")) {
            throw new StartException(jar + " is not in a directory named for its start level");
        }
        return Integer.parseInt(directory);
    }

    private static void install(BundleContext framework, Path jar, int level) throws StartException {
        try {
            Bundle bundle = framework.installBundle("reference:" + jar.toUri());
            bundle.adapt(BundleStartLevel.class).setStartLevel(level);
            if (bundle.getHeaders().get(Constants.FRAGMENT_HOST) == null) {
                bundle.start(Bundle.START_ACTIVATION_POLICY);
            }
        } catch (BundleException e) {
            throw new StartException("bundle " + jar + " cannot be installed: " + e.getMessage(), e);
        }
    }
}
