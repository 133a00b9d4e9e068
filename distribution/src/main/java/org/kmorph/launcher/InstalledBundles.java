// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.framework.wiring.BundleRevision;

/**
 * Installs the distribution's bundles, {@code bundles/LEVEL/*.jar} where LEVEL is the start level, and what was installed, updated or
 * removed in a running daemon since: the lines {@code SYMBOLIC-NAME = FILE} of {@code state/bundles/overrides}, {@code -} for one that was
 * removed. A newer version in the distribution wins. The framework begins with an empty {@link FrameworkStorage}, so what runs is always
 * what these say.
 */
final class InstalledBundles {
    private static final String REMOVED = "-";

    /** What is in no directory of the distribution starts with the bundles that people drop in. */
    private static final int DEPLOYED_LEVEL = 30;

    private InstalledBundles() {}

    /** A jar and when it starts. */
    private record Item(Path jar, int level) {}

    static void install(Settings settings, BundleContext framework) throws StartException {
        try {
            for (Item item : items(settings)) {
                install(framework, item);
            }
        } catch (IOException e) {
            throw new StartException("the bundles of " + settings.home() + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<Item> items(Settings settings) throws StartException, IOException {
        List<Item> items = new ArrayList<>();
        try (Stream<Path> found =
                Files.find(settings.home().resolve("bundles"), 2, (path, attributes) -> path.toString()
                        .endsWith(".jar"))) {
            for (Path jar : found.sorted().toList()) {
                items.add(new Item(jar, level(jar)));
            }
        }
        Path kept = settings.state().resolve("bundles");
        Map<String, String> overrides = overrides(kept.resolve("overrides"));
        return overrides.isEmpty() ? items : overridden(items, kept, overrides);
    }

    private static int level(Path jar) throws StartException {
        String directory = jar.getParent().getFileName().toString();
        if (!directory.matches("[0-9]{1,2}")) {
            throw new StartException(jar + " is not in a directory named for its start level");
        }
        return Integer.parseInt(directory);
    }

    private static Map<String, String> overrides(Path file) throws IOException {
        Map<String, String> lines = new TreeMap<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                int equals = line.indexOf(" = ");
                if (equals > 0) {
                    lines.put(line.substring(0, equals), line.substring(equals + 3));
                }
            }
        }
        return lines;
    }

    private static List<Item> overridden(List<Item> distribution, Path kept, Map<String, String> overrides)
            throws IOException {
        Map<String, String> left = new TreeMap<>(overrides);
        List<Item> items = new ArrayList<>();
        for (Item item : distribution) {
            Attributes attributes = manifest(item.jar());
            String override = left.remove(symbolicName(attributes));
            if (override == null) {
                items.add(item);
            } else if (!override.equals(REMOVED)) {
                Path jar = kept.resolve(override);
                boolean newer = version(manifest(jar)).compareTo(version(attributes)) > 0;
                items.add(new Item(newer ? jar : item.jar(), item.level()));
            }
        }
        left.values().stream()
                .filter(file -> !file.equals(REMOVED))
                .forEach(file -> items.add(new Item(kept.resolve(file), DEPLOYED_LEVEL)));
        return items;
    }

    private static Attributes manifest(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return Optional.ofNullable(file.getManifest())
                    .orElseThrow(() -> new IOException(jar + " has no manifest"))
                    .getMainAttributes();
        }
    }

    private static String symbolicName(Attributes attributes) {
        String name = attributes.getValue(Constants.BUNDLE_SYMBOLICNAME);
        return name == null ? "" : name.split(";")[0].strip();
    }

    private static Version version(Attributes attributes) {
        return Version.parseVersion(attributes.getValue(Constants.BUNDLE_VERSION));
    }

    private static void install(BundleContext framework, Item item) throws StartException {
        try {
            // each bundle is installed with its level, instead of being written down again with another one
            framework.getBundle(0).adapt(FrameworkStartLevel.class).setInitialBundleStartLevel(item.level());
            Bundle bundle = framework.installBundle("reference:" + item.jar().toUri());
            if ((bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT) == 0) {
                bundle.start(Bundle.START_ACTIVATION_POLICY);
            }
        } catch (BundleException e) {
            throw new StartException("bundle " + item.jar() + " cannot be installed: " + e.getMessage(), e);
        }
    }
}
