// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.transport.Endpoint;

/** A registry of real agents, which outlives the daemons of a test; an instance is the agent's process and what it has started. */
final class LocalAgents implements AutoCloseable {
    private static final Path KERNEL = Path.of("../../kernel").toAbsolutePath().normalize();

    private final Path directory;
    private final Map<String, Agent> agents = new ConcurrentHashMap<>();
    private final AtomicInteger ids = new AtomicInteger();
    private volatile boolean full;

    /** One of them. */
    record Agent(org.kmorph.api.instance.Instance instance, Process process) {
        void kill() {
            process.destroyForcibly();
            process.onExit().join();
        }
    }

    LocalAgents(Path directory) {
        this.directory = directory;
    }

    /** From now on there is no room for another one. */
    void fill() {
        full = true;
    }

    /** Builds the programs if they are not there: the module of the agent may come later in a build than this one. */
    static void build() throws IOException, InterruptedException {
        for (String module : List.of("agent", "libkmorph")) {
            Process make = new ProcessBuilder(
                            "make", "-s", "-C", KERNEL.resolve(module).toString(), "all")
                    .inheritIO()
                    .start();
            if (make.waitFor() != 0) {
                throw new IOException("make -C kernel/" + module + " failed; gcc and make are needed");
            }
        }
    }

    static String program(String name) {
        return KERNEL.resolve(name.equals("kmorph-agent") ? "agent" : "libkmorph")
                .resolve("target")
                .resolve(name)
                .toString();
    }

    Optional<Agent> agent(String name) {
        return Optional.ofNullable(agents.get(name));
    }

    Optional<Agent> agent(int id) {
        return agents.values().stream()
                .filter(agent -> agent.instance().id() == id)
                .findFirst();
    }

    /** The workloads that run here, the one that waits for its turn among them. */
    long workloads() {
        return agents.values().stream()
                .flatMap(agent -> agent.process().descendants())
                .filter(ProcessHandle::isAlive)
                .filter(process -> process.info().command().orElse("").endsWith("kmorph-kv"))
                .count();
    }

    private Agent start(InstanceSpec spec) throws IOException, InterruptedException {
        int id = ids.incrementAndGet();
        Path socket = directory.resolve(id + ".sock");
        List<String> words = new ArrayList<>(
                List.of(program("kmorph-agent"), "--local", "--instance=" + id, "--listen=unix:" + socket));
        if (spec.successorOf().isPresent()) {
            words.add("--hold");
        }
        words.add("--");
        words.addAll(spec.workload());
        Process process = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(id + ".log").toFile())
                .start();
        while (!Files.exists(socket) && process.isAlive()) {
            NANOSECONDS.sleep(500_000);
        }
        return new Agent(
                new org.kmorph.api.instance.Instance(
                        id,
                        spec,
                        InstanceState.RUNNING,
                        Instant.now(),
                        "",
                        id + 2,
                        "6.12.0-test",
                        Optional.of(new Endpoint("unix", socket.toString())),
                        List.of()),
                process);
    }

    /** What runs at the beginning. */
    Agent first(String name, List<String> workload) throws IOException, InterruptedException {
        InstanceSpec spec = InstanceSpec.watched(name, "local", Path.of("old"), workload);
        Agent agent = start(spec);
        agents.put(name, agent);
        return agent;
    }

    private void end(String name) {
        Agent agent = agents.remove(name);
        if (agent != null) {
            agent.process().destroy();
            agent.process()
                    .onExit()
                    .orTimeout(5, SECONDS)
                    .exceptionally(late -> {
                        agent.kill();
                        return agent.process();
                    })
                    .join();
        }
    }

    /** As a daemon sees it: each change has a moment before it and one after it. */
    Instances with(Faults faults) {
        return new Instances() {
            @Override
            public void awaitRead(Duration patience) {
                // they are there
            }

            @Override
            public List<org.kmorph.api.instance.Instance> list() {
                return agents.values().stream().map(Agent::instance).toList();
            }

            @Override
            public Optional<org.kmorph.api.instance.Instance> find(String name) {
                return agent(name).map(Agent::instance);
            }

            @Override
            public org.kmorph.api.instance.Instance spawn(InstanceSpec spec, Duration timeout)
                    throws InstanceException, InterruptedException {
                faults.moment("before spawn");
                if (full) {
                    throw new InstanceException(InstanceException.Reason.FAILED, "there is no memory");
                }
                try {
                    Agent agent = start(spec);
                    agents.put(spec.name(), agent);
                    faults.moment("after spawn");
                    return agent.instance();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void terminate(String name, boolean force, Duration timeout) {
                faults.moment("before terminate " + name);
                end(name);
                faults.moment("after terminate " + name);
            }

            @Override
            public org.kmorph.api.instance.Instance fence(String name, String why, Duration timeout)
                    throws InstanceException {
                Agent agent = agent(name)
                        .orElseThrow(() -> new InstanceException(
                                InstanceException.Reason.NO_SUCH_INSTANCE, "no instance " + name));
                agent.kill();
                return agent.instance();
            }

            @Override
            public void release(String name) {
                end(name);
            }

            @Override
            public org.kmorph.api.instance.Instance promote(String standby, String name) {
                throw new UnsupportedOperationException("there is no standby");
            }

            @Override
            public org.kmorph.api.instance.Instance succeed(String name, String successor, String aside) {
                faults.moment("before succeed");
                if (agents.containsKey(successor)) {
                    agents.put(aside, agents.get(name));
                    agents.put(name, agents.remove(successor));
                }
                faults.moment("after succeed");
                return agents.get(name).instance();
            }
        };
    }

    @Override
    public void close() {
        agents.values().forEach(Agent::kill);
        agents.clear();
    }
}
