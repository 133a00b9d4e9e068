// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostlocal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.kmorph.api.host.HostException;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.shim.Cpus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control groups that bound instances, cgroups(7), of either version: for each controller, one below {@code kmorph} where it is
 * mounted, named after the instance's directory: two daemons of one machine may use the same ids. Nothing is remembered; what there is, the file system knows.
 */
final class ControlGroups {
    private static final Logger LOG = LoggerFactory.getLogger(ControlGroups.class);

    private static final String PARENT = "kmorph";

    /** The quota's period in microseconds, the kernel's default. */
    private static final long PERIOD_MICROS = 100_000;

    /** What of a kernel is bounded. */
    private enum Controller {
        MEMORY,
        CPU;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Where a controller is mounted.
     *
     * @param unified whether the hierarchy is version 2
     */
    private record Hierarchy(Path root, boolean unified) {}

    private final Map<Controller, Hierarchy> hierarchies;

    private ControlGroups(Map<Controller, Hierarchy> hierarchies) {
        this.hierarchies = hierarchies;
    }

    /** Finds what is mounted. A controller that is not is missing for good: systems do not change that as they run. */
    static ControlGroups ofThisSystem() {
        Map<Controller, Hierarchy> found = new EnumMap<>(Controller.class);
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
                // proc_pid_mounts(5): device, mount point, type, options
                String[] fields = line.split(" ");
                Path root = Path.of(fields[1]);
                for (Controller controller : Controller.values()) {
                    boolean unified = fields[2].equals("cgroup2") && offers(root, controller);
                    boolean own = fields[2].equals("cgroup")
                            && List.of(fields[3].split(",")).contains(controller.word());
                    if (unified || own) {
                        found.put(controller, new Hierarchy(root, unified));
                    }
                }
            }
        } catch (IOException e) {
            LOG.warn("control groups cannot be found: {}", e.getMessage());
        }
        return new ControlGroups(found);
    }

    private static boolean offers(Path root, Controller controller) throws IOException {
        return List.of(Files.readString(root.resolve("cgroup.controllers"))
                        .strip()
                        .split(" "))
                .contains(controller.word());
    }

    /**
     * Makes the groups that an instance's limits ask for.
     *
     * @param shortcomings gets what the system does not allow to be bounded, for people
     * @return the directories of those made
     */
    List<Path> make(Path directory, InstanceSpec spec, List<String> shortcomings) throws HostException {
        List<Path> made = new ArrayList<>();
        if (spec.memoryBytes().isPresent()) {
            limit(Controller.MEMORY, directory, spec.memoryBytes().get(), shortcomings)
                    .ifPresent(made::add);
        }
        if (spec.cpus().isPresent()) {
            Optional<Integer> count = Cpus.parse(spec.cpus().get()).count();
            if (count.isPresent()) {
                limit(Controller.CPU, directory, count.get(), shortcomings)
                        .filter(group -> !made.contains(group))
                        .ifPresent(made::add);
            }
        }
        return made;
    }

    private Optional<Path> limit(Controller controller, Path directory, long amount, List<String> shortcomings) {
        Hierarchy hierarchy = hierarchies.get(controller);
        if (hierarchy == null) {
            shortcomings.add(controller.word() + ": no control group bounds it; the system has no such controller");
            return Optional.empty();
        }
        Path group = group(hierarchy, directory);
        try {
            Files.createDirectories(group.getParent());
            if (hierarchy.unified()) {
                Files.writeString(hierarchy.root().resolve("cgroup.subtree_control"), "+" + controller.word());
                Files.writeString(group.getParent().resolve("cgroup.subtree_control"), "+" + controller.word());
            }
            Files.createDirectories(group);
            bound(controller, hierarchy.unified(), group, amount);
            return Optional.of(group);
        } catch (IOException e) {
            shortcomings.add(controller.word() + ": no control group bounds it; " + reason(e));
            return Optional.empty();
        }
    }

    private static void bound(Controller controller, boolean unified, Path group, long amount) throws IOException {
        long quota = amount * PERIOD_MICROS;
        switch (controller) {
            case MEMORY ->
                Files.writeString(
                        group.resolve(unified ? "memory.max" : "memory.limit_in_bytes"), Long.toString(amount));
            case CPU -> {
                if (unified) {
                    Files.writeString(group.resolve("cpu.max"), quota + " " + PERIOD_MICROS);
                } else {
                    Files.writeString(group.resolve("cpu.cfs_period_us"), Long.toString(PERIOD_MICROS));
                    Files.writeString(group.resolve("cpu.cfs_quota_us"), Long.toString(quota));
                }
            }
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName().replace("Exception", "") + " " + e.getMessage();
    }

    /** Removes the groups of a fenced instance. @throws HostException when one is still in use */
    void remove(Path directory) throws HostException {
        for (Hierarchy hierarchy : hierarchies.values()) {
            Path group = group(hierarchy, directory);
            try {
                Files.delete(group);
            } catch (NoSuchFileException e) {
                LOG.debug("{} is not there", group);
            } catch (IOException e) {
                throw new HostException("control group " + group + " cannot be removed: " + reason(e), e);
            }
        }
    }

    private static Path group(Hierarchy hierarchy, Path directory) {
        Path absolute = directory.toAbsolutePath();
        return hierarchy
                .root()
                .resolve(PARENT)
                .resolve(absolute.getFileName() + "-"
                        + UUID.nameUUIDFromBytes(absolute.toString().getBytes(StandardCharsets.UTF_8)));
    }
}
