// SPDX-License-Identifier: Apache-2.0
package org.kmorph.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.kmorph.api.daemon.BundleManager.BundleInfo;
import org.kmorph.api.daemon.BundleManager.DeploymentException;
import org.kmorph.api.daemon.BundleManager.Origin;
import org.kmorph.api.daemon.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches {@code deploy/}. A jar is taken when it was the same at two looks, so that one which is still being copied is not even tried;
 * a refused one is tried again when it changes.
 */
final class DeployDirectory {
    private static final Logger LOG = LoggerFactory.getLogger(DeployDirectory.class);

    private final Path directory;
    private final Duration between;
    private final Deployer deployer;
    private final Map<Path, Seen> seen = new HashMap<>();
    private final Thread thread = new DaemonThreads("kmorph-deploy").newThread(this::watch);

    DeployDirectory(Path directory, Duration between, Deployer deployer) {
        this.directory = directory;
        this.between = between;
        this.deployer = deployer;
    }

    /**
     * A file as it was last seen.
     *
     * @param tried whether it was tried in this shape
     * @param bundle what it brought, by symbolic name
     * @param refusal why it was not taken
     */
    private record Seen(long size, long modified, boolean tried, Optional<String> bundle, Optional<String> refusal) {
        boolean sameAs(long otherSize, long otherModified) {
            return size == otherSize && modified == otherModified;
        }
    }

    void start() {
        thread.start();
    }

    void stop() {
        thread.interrupt();
    }

    /** The files that were not taken, as if they were bundles. */
    synchronized List<BundleInfo> refused() {
        Map<Path, Seen> sorted = new TreeMap<>(seen);
        List<BundleInfo> refused = new ArrayList<>();
        sorted.forEach((file, state) -> state.refusal()
                .ifPresent(why -> refused.add(new BundleInfo(
                        -1, file.getFileName().toString(), "-", "REFUSED", 0, Origin.DEPLOYED, Optional.of(why)))));
        return refused;
    }

    private void watch() {
        try {
            while (true) {
                look();
                TimeUnit.NANOSECONDS.sleep(between.toNanos());
            }
        } catch (InterruptedException e) {
            LOG.debug("stopped");
        }
    }

    private void look() throws InterruptedException {
        try (Stream<Path> found = Files.list(directory)) {
            Set<Path> files =
                    found.filter(file -> file.toString().endsWith(".jar")).collect(Collectors.toSet());
            for (Path gone : known(files)) {
                undeploy(gone);
            }
            for (Path file : files.stream().sorted().toList()) {
                look(file);
            }
        } catch (IOException e) {
            LOG.warn("{} cannot be read: {}", directory, e.getMessage());
        }
    }

    private synchronized List<Path> known(Set<Path> butNot) {
        return seen.keySet().stream().filter(file -> !butNot.contains(file)).toList();
    }

    private void look(Path file) throws IOException, InterruptedException {
        long size = Files.size(file);
        long modified = Files.getLastModifiedTime(file).toMillis();
        Optional<Seen> before = get(file);
        if (before.filter(state -> state.sameAs(size, modified)).isEmpty()) {
            put(file, new Seen(size, modified, false, before.flatMap(Seen::bundle), Optional.empty()));
        } else if (!before.get().tried()) {
            put(file, tried(file, before.get()));
        }
    }

    private Seen tried(Path file, Seen before) throws InterruptedException {
        try {
            BundleInfo info = deployer.deploy(file);
            Optional<String> former = before.bundle().filter(name -> !name.equals(info.symbolicName()));
            if (former.isPresent()) {
                deployer.undeploy(former.get());
            }
            return new Seen(before.size(), before.modified(), true, Optional.of(info.symbolicName()), Optional.empty());
        } catch (DeploymentException | IOException e) {
            LOG.warn("{} was not deployed: {}", file, e.getMessage());
            return new Seen(before.size(), before.modified(), true, before.bundle(), Optional.of(e.getMessage()));
        }
    }

    private void undeploy(Path gone) throws InterruptedException {
        Optional<Seen> before = get(gone);
        synchronized (this) {
            seen.remove(gone);
        }
        try {
            if (before.flatMap(Seen::bundle).isPresent()) {
                deployer.undeploy(before.get().bundle().get());
                LOG.info(
                        "{} was removed, and {} with it",
                        gone,
                        before.get().bundle().get());
            }
        } catch (DeploymentException | IOException e) {
            LOG.warn("{} was removed, its bundle was not: {}", gone, e.getMessage());
        }
    }

    private synchronized Optional<Seen> get(Path file) {
        return Optional.ofNullable(seen.get(file));
    }

    private synchronized void put(Path file, Seen state) {
        seen.put(file, state);
    }
}
