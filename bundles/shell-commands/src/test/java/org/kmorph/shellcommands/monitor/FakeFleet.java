// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.time.TimeSource;

/** Instances and their health as a test wants them. Its clock stands still until it is moved. */
final class FakeFleet implements Instances, HealthMonitor, TimeSource {
    static final Instant NOON = Instant.parse("2026-01-02T12:00:00Z");

    /** The names for which a single report was asked since this was cleared. */
    final List<String> asked = new ArrayList<>();

    private final Map<String, Instance> instances = new TreeMap<>();
    private final Map<String, HealthReport> reports = new TreeMap<>();
    private long nanos;

    static FakeFleet of(int count) {
        FakeFleet fleet = new FakeFleet();
        for (int i = 0; i < count; i++) {
            fleet.put(i + 1, String.format("node-%04d", i), Health.HEALTHY, "answers", i % 100 / 100.0, i % 7 + 1);
        }
        return fleet;
    }

    void put(int id, String name, Health health, String reason, double cpu, double roundTripMillis) {
        InstanceSpec spec = InstanceSpec.watched(name, "local", Path.of("/boot/vmlinuz"), List.of());
        instances.put(
                name,
                new Instance(
                        id,
                        spec,
                        InstanceState.RUNNING,
                        NOON.minusSeconds(60),
                        "",
                        id + 2,
                        "6.1.0",
                        Optional.empty(),
                        List.of()));
        Heartbeat heartbeat = new Heartbeat(
                nanos,
                (long) (roundTripMillis * 1e6),
                1,
                "running",
                "none",
                60_000,
                cpu,
                1L << 30,
                1L << 29,
                Optional.of(100L),
                0.5);
        List<Double> recent = DoubleStream.iterate(0, value -> (value + 0.1) % 1)
                .limit(60)
                .boxed()
                .toList();
        Windows windows = new Windows(cpu, cpu, cpu, cpu, 1, recent);
        reports.put(
                name,
                new HealthReport(
                        name,
                        id,
                        health,
                        reason,
                        Optional.empty(),
                        "timeout",
                        Optional.of(true),
                        Optional.of("6.1.0"),
                        List.of(heartbeat),
                        List.of(),
                        10,
                        id % 3,
                        Map.of("cpu", windows, "memory", windows, "io", windows, "rtt", windows)));
    }

    Instance remove(String name) {
        reports.remove(name);
        return instances.remove(name);
    }

    void move(Duration time) {
        nanos += time.toNanos();
    }

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public Instant now() {
        return NOON.plusNanos(nanos);
    }

    @Override
    public void awaitRead(Duration patience) {
        // they are there
    }

    @Override
    public List<Instance> list() {
        return List.copyOf(instances.values());
    }

    @Override
    public Optional<Instance> find(String name) {
        return Optional.ofNullable(instances.get(name));
    }

    @Override
    public Optional<HealthReport> report(String instance) {
        asked.add(instance);
        return Optional.ofNullable(reports.get(instance));
    }

    @Override
    public List<HealthReport> reports() {
        return List.copyOf(reports.values());
    }

    @Override
    public Instance spawn(InstanceSpec spec, Duration timeout) {
        throw new UnsupportedOperationException("nobody watches by spawning");
    }

    @Override
    public void terminate(String name, boolean force, Duration timeout) {
        throw new UnsupportedOperationException("nobody watches by terminating");
    }

    @Override
    public Instance fence(String name, String why, Duration timeout) {
        throw new UnsupportedOperationException("nobody watches by fencing");
    }

    @Override
    public void release(String name) {
        throw new UnsupportedOperationException("nobody watches by releasing");
    }

    @Override
    public Instance succeed(String name, String successor, String why) {
        throw new UnsupportedOperationException("nobody watches by handing over");
    }

    @Override
    public Instance promote(String standby, String name) {
        throw new UnsupportedOperationException("nobody watches by promoting");
    }

    @Override
    public Optional<Duration> ping(String instance, Duration deadline) {
        throw new UnsupportedOperationException("nobody watches by pinging");
    }
}
