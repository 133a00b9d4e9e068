// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Instances of host local, as the machine sees them: by their processes, sockets, control groups and files. */
public record LocalInstances(Kmorph kmorph) {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Spawns one; the options stand after the name. */
    public Result spawn(String name, String... options) {
        List<String> words = new ArrayList<>(
                List.of("spawn", name, "--kernel=" + KernelFile.in(kmorph.home().getParent())));
        words.addAll(Arrays.asList(options));
        return kmorph.ctl(words.toArray(String[]::new));
    }

    public Map<String, Object> status(String name) {
        return kmorph.ctl("status", name, "-o", "json").ok().json();
    }

    void awaitHealth(String name, String health) {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> assertThat(
                        status(name).get("health"))
                .isEqualTo(health));
    }

    /** The processes that belong to an instance, the shim first: by the directory that their shim was given. */
    public List<Long> processes(int id) {
        String directory = directory(id).toString();
        List<Long> found = new ArrayList<>();
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            all.map(path -> path.getFileName().toString())
                    .filter(name -> name.matches("[0-9]+"))
                    .map(Long::valueOf)
                    .sorted()
                    .filter(pid -> commandLine(pid).contains("--dir\0" + directory + "\0"))
                    .forEach(shim -> {
                        found.add(shim);
                        ProcessHandle.of(shim)
                                .ifPresent(process -> process.descendants().forEach(child -> found.add(child.pid())));
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    /** All that runs anywhere below the state directory of this daemon, by its command line. */
    public List<String> allProcesses() {
        String state = kmorph.home().resolve("state/instances").toString();
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> name.matches("[0-9]+"))
                    .map(pid -> pid + " " + commandLine(Long.parseLong(pid)))
                    .filter(line -> line.contains(state))
                    .map(line -> line.replace('\0', ' '))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The agent of an instance: the topmost process below the shim. */
    public long agent(int id) {
        List<Long> processes = processes(id);
        return processes.stream()
                .skip(1)
                .filter(pid -> commandLine(pid).contains("kmorph-agent"))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no agent among " + processes));
    }

    public Path directory(int id) {
        return kmorph.home().resolve("state/instances/" + id);
    }

    /** What lies in the directory of instances besides the lock. */
    public List<String> directories() {
        try (Stream<Path> all = Files.list(kmorph.home().resolve("state/instances"))) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> !name.equals("lock"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The control groups that there are of an instance: below kmorph, named after its directory. */
    List<Path> controlGroups(int id) {
        String name = id + "-" + UUID.nameUUIDFromBytes(directory(id).toString().getBytes(StandardCharsets.UTF_8));
        try (Stream<Path> roots = Files.list(Path.of("/sys/fs/cgroup"))) {
            return Stream.concat(Stream.of(Path.of("/sys/fs/cgroup")), roots)
                    .map(root -> root.resolve("kmorph").resolve(name))
                    .filter(Files::isDirectory)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Optional<String> status(long pid, String field) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(line -> line.startsWith(field + ":"))
                    .map(line -> line.substring(field.length() + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static void signal(String signal, long pid) {
        Programs.run(Path.of("/"), Map.of(), "", List.of("kill", "-" + signal, Long.toString(pid)))
                .ok();
    }

    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
