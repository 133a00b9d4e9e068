// SPDX-License-Identifier: Apache-2.0
package org.kmorph.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.kmorph.api.daemon.Configurations;
import org.kmorph.api.daemon.ReloadListener;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.metatype.MetaTypeService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files as a service. One reload at a time. */
final class EtcConfigurations implements Configurations {
    private static final Logger LOG = LoggerFactory.getLogger(EtcConfigurations.class);

    private static final String ENDING = ".cfg";

    /** For components to take what is new: they answer in milliseconds, and nobody who reloads is to wait for ever. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Path etc;
    private final BundleContext context;
    private final ConfigurationAdmin admin;
    private final MetaTypeService metatype;
    private final Delivery delivery;
    private final Map<String, Map<String, String>> inForce = new TreeMap<>();
    private final Map<String, String> startFiles = new TreeMap<>();

    EtcConfigurations(Path etc, BundleContext context, ConfigurationAdmin admin, MetaTypeService metatype)
            throws IOException {
        this.etc = etc;
        this.context = context;
        this.admin = admin;
        this.metatype = metatype;
        this.delivery = new Delivery(context, admin);
        for (Path file : files(path -> !path.toString().endsWith(ENDING))) {
            startFiles.put(file.getFileName().toString(), Files.readString(file));
        }
    }

    @Override
    public synchronized List<Change> reload() {
        tell(ReloadListener::reloading);
        try {
            return delivered(readAgain());
        } finally {
            tell(ReloadListener::reloaded);
        }
    }

    /** What is said to be in force is. */
    private List<Change> delivered(List<Change> changes) {
        String wrong;
        try {
            if (changes.stream().noneMatch(EtcConfigurations::isInForce) || delivery.await(PATIENCE)) {
                return changes;
            }
            wrong = "what it configures has not taken it up yet after " + PATIENCE.toSeconds() + " s";
        } catch (IOException e) {
            wrong = "whether what it configures has taken it up is not known: " + e.getMessage();
        }
        LOG.warn("{}", wrong);
        String said = "; " + wrong;
        return changes.stream()
                .map(change -> isInForce(change)
                        ? new Change(change.file(), change.outcome(), change.detail() + said)
                        : change)
                .toList();
    }

    private static boolean isInForce(Change change) {
        return change.outcome() == Outcome.APPLIED || change.outcome() == Outcome.REMOVED;
    }

    private void tell(Consumer<ReloadListener> what) {
        try {
            for (ServiceReference<ReloadListener> reference :
                    context.getServiceReferences(ReloadListener.class, null)) {
                ReloadListener listener = context.getService(reference);
                if (listener != null) {
                    what.accept(listener);
                    context.ungetService(reference);
                }
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException("no filter was given, so none can be wrong", e);
        }
    }

    /** Reads all files, as at the start. */
    synchronized List<Change> readAgain() {
        List<Change> changes = new ArrayList<>();
        try {
            TreeSet<String> names = new TreeSet<>(inForce.keySet());
            for (Path file : files(path -> path.toString().endsWith(ENDING))) {
                names.add(file.getFileName().toString());
            }
            for (String name : names) {
                reload(name).ifPresent(changes::add);
            }
            startFiles.forEach((name, before) -> restartNeeded(name, before).ifPresent(changes::add));
        } catch (IOException e) {
            changes.add(new Change(etc.toString(), Outcome.REFUSED, "the directory cannot be read: " + e.getMessage()));
        }
        changes.forEach(change -> LOG.info("{} {}: {}", change.file(), change.outcome(), change.detail()));
        return changes;
    }

    private Optional<Change> reload(String name) throws IOException {
        Path file = etc.resolve(name);
        String pid = name.substring(0, name.length() - ENDING.length());
        if (!Files.exists(file)) {
            admin.getConfiguration(pid, "?").delete();
            inForce.remove(name);
            return Optional.of(new Change(name, Outcome.REMOVED, "its settings are the defaults again"));
        }
        try {
            ConfigurationFile read = ConfigurationFile.read(file, context::getProperty);
            Map<String, String> before = inForce.getOrDefault(name, Map.of());
            if (read.values().equals(before)) {
                return Optional.empty();
            }
            Optional<Schema> schema = Schema.of(pid, context, metatype);
            if (schema.isPresent()) {
                schema.get().check(read);
            }
            apply(pid, read.values());
            inForce.put(name, read.values());
            return Optional.of(new Change(name, Outcome.APPLIED, difference(before, read.values(), schema)));
        } catch (RefusedException | IOException e) {
            return Optional.of(new Change(name, Outcome.REFUSED, e.getMessage()));
        }
    }

    private void apply(String pid, Map<String, String> values) throws IOException {
        if (values.isEmpty()) {
            admin.getConfiguration(pid, "?").delete();
        } else {
            admin.getConfiguration(pid, "?").updateIfDifferent(new Hashtable<>(values));
        }
    }

    private static String difference(Map<String, String> before, Map<String, String> after, Optional<Schema> schema) {
        List<String> lines = new ArrayList<>();
        TreeSet<String> keys = new TreeSet<>(before.keySet());
        keys.addAll(after.keySet());
        for (String key : keys) {
            if (!Objects.equals(before.get(key), after.get(key))) {
                boolean secret = schema.map(known -> known.secret(key)).orElse(false);
                lines.add(key + ": " + shown(before.get(key), secret) + " -> " + shown(after.get(key), secret));
            }
        }
        return String.join("; ", lines)
                + (schema.isPresent() ? "" : " (not checked: no bundle that is there declares this configuration)");
    }

    private static String shown(String value, boolean secret) {
        if (value == null) {
            return "default";
        }
        return secret ? "(secret)" : value;
    }

    private Optional<Change> restartNeeded(String name, String before) {
        try {
            if (Files.readString(etc.resolve(name)).equals(before)) {
                return Optional.empty();
            }
            return Optional.of(new Change(name, Outcome.NEEDS_RESTART, "it has changed since the start"));
        } catch (IOException e) {
            return Optional.of(
                    new Change(name, Outcome.NEEDS_RESTART, "it cannot be read any more: " + e.getMessage()));
        }
    }

    /** Plain files of the directory, without those that editors leave. */
    private List<Path> files(java.util.function.Predicate<Path> which) throws IOException {
        try (Stream<Path> found = Files.list(etc)) {
            return found.filter(Files::isRegularFile)
                    .filter(path -> path.toString().matches(".*\\.(cfg|conf|xml)"))
                    .filter(which)
                    .sorted()
                    .toList();
        }
    }
}
