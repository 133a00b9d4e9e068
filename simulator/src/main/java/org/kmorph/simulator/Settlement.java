// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.io.IOException;
import java.util.Optional;
import java.util.stream.Stream;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.recovery.RecoveryState;
import org.kmorph.kmp.message.WorkloadState;

/** Whether a world in which nothing goes wrong any more has come to rest, and whether that is as it must be. */
final class Settlement {
    private final World world;

    Settlement(World world) {
        this.world = world;
    }

    /** What is not at rest yet. */
    Optional<String> open() {
        Optional<Daemon> daemon = world.daemon();
        long now = world.scheduler().now();
        if (daemon.isEmpty() || !daemon.get().quiet() || daemon.get().life().pausedAt(now)) {
            return Optional.of("the daemon does something");
        }
        try {
            if (!daemon.get().journal().latest("recovery").isEmpty()) {
                return Optional.of("a recovery of \""
                        + daemon.get()
                                .journal()
                                .latest("recovery")
                                .get(0)
                                .entry()
                                .instance()
                                .orElse("")
                        + "\" is under way");
            }
            if (!daemon.get().journal().latest("morph").isEmpty()) {
                return Optional.of("a morph of \""
                        + daemon.get()
                                .journal()
                                .latest("morph")
                                .get(0)
                                .entry()
                                .instance()
                                .orElse("") + "\" is under way");
            }
        } catch (JournalException e) {
            throw new Violation("the journal cannot be read", e);
        }
        for (Instance instance : daemon.get().instances().list()) {
            Optional<String> open = open(daemon.get(), instance);
            if (open.isPresent()) {
                return open;
            }
        }
        return Optional.empty();
    }

    private Optional<String> open(Daemon daemon, Instance instance) {
        String name = "instance \"" + instance.name() + "\" ";
        if (instance.state() == InstanceState.HELD) {
            return Optional.empty();
        }
        if (instance.state() != InstanceState.RUNNING) {
            return Optional.of(name + "is " + instance.state());
        }
        Kernel kernel = world.machine().kernel(instance.id()).orElseThrow();
        if (!kernel.runs() && !gaveUp(daemon, instance)) {
            return Optional.of(name + "is dead, and is said to be RUNNING");
        }
        if (kernel.runs() && kernel.work.state == WorkloadState.STARTING) {
            return Optional.of(name + "has a workload that has not begun yet");
        }
        Optional<HealthReport> report = daemon.health(instance.name());
        boolean healthy = report.filter(one -> one.health() == Health.HEALTHY).isPresent();
        if (healthy || gaveUp(daemon, instance)) {
            return Optional.empty();
        }
        return Optional.of(name + "is "
                + report.map(one -> one.health() + " (" + one.reason() + ")").orElse("not watched"));
    }

    /** Whether what is not healthy is so because its recovery has ended FAILED. */
    private static boolean gaveUp(Daemon daemon, Instance instance) {
        return last(daemon, instance.name())
                .filter(report -> report.instanceId() == instance.id() && report.state() == RecoveryState.FAILED)
                .isPresent();
    }

    private static Optional<RecoveryReport> last(Daemon daemon, String name) {
        return all(daemon, name).reduce((first, second) -> second);
    }

    /** But for what a person has had recovered while it was spawned: if that is undone, nobody was promised it. */
    private static Optional<RecoveryReport> lastOfPromised(Daemon daemon, String name) {
        return all(daemon, name)
                .filter(report ->
                        report.by().equals("policy") || !detail(report).equals("somebody else has ended it"))
                .reduce((first, second) -> second);
    }

    private static Stream<RecoveryReport> all(Daemon daemon, String name) {
        try {
            return daemon.healer().log(Optional.of(name), Optional.empty()).stream();
        } catch (IOException e) {
            throw new Violation("the recoveries cannot be read", e);
        }
    }

    private static String detail(RecoveryReport report) {
        return report.steps().get(report.steps().size() - 1).detail();
    }

    /** Once all is at rest. */
    void check() {
        Daemon daemon = world.daemon().orElseThrow();
        for (Instance instance : daemon.instances().list()) {
            checkPresent(instance);
            checkWorks(daemon, instance);
        }
        for (String name : world.operator().names()) {
            last(daemon, name).ifPresent(this::checkGivenUp);
            if (world.operator().wasPromised(name)
                    && daemon.instances().find(name).isEmpty()) {
                checkGone(name, lastOfPromised(daemon, name));
            }
        }
        if (!world.lossesForgiven()) {
            checkAccounts(daemon);
            if (world.kept().count() > 0) {
                throw new Violation("something is left of a morph: the state of "
                        + world.kept().count());
            }
        }
    }

    private void checkPresent(Instance instance) {
        Kernel kernel = world.machine()
                .kernel(instance.id())
                .orElseThrow(() -> new Violation("instance " + instance.id() + " has no kernel"));
        if (instance.state() == InstanceState.HELD && (instance.detail().isEmpty() || !kernel.hostFailed)) {
            throw new Violation(kernel + " is HELD without its host having failed: \"" + instance.detail() + "\"");
        }
    }

    /** Nobody's work is left undone, and nothing is left of a morph. */
    private void checkWorks(Daemon daemon, Instance instance) {
        String name = instance.name();
        if (instance.state() != InstanceState.RUNNING || gaveUp(daemon, instance)) {
            return;
        }
        if (name.endsWith("-next") || name.endsWith("-old")) {
            throw new Violation("something is left of a morph: instance \"" + name + "\" runs");
        }
        Kernel kernel = world.machine().kernel(instance.id()).orElseThrow();
        WorkloadState work = kernel.work.state;
        if (work == WorkloadState.FAILED && kernel.agentForgot) {
            return; // nobody can say whether it had begun: for a person
        }
        boolean stands = instance.spec().successorOf().isPresent();
        if (work != (stands ? WorkloadState.HELD : WorkloadState.RUNNING)) {
            throw new Violation(
                    "nobody does its work: instance \"" + name + "\" is RUNNING, and its workload is " + work);
        }
    }

    /** A recovery ends FAILED for what only a person can change, and for nothing else. */
    private void checkGivenUp(RecoveryReport report) {
        String detail = detail(report);
        boolean hostFailed = world.machine().kernels(Work.of(report.instance())).anyMatch(kernel -> kernel.hostFailed);
        boolean known = hostFailed
                || detail.matches(".*it has failed \\d+ times within .*")
                || detail.contains("the disk is full")
                || detail.endsWith("is HELD")
                || detail.matches(
                        "it could not be started in \\d+ tries: .*(has no room|kernel panic|killed by signal|in time|to do its work, has failed).*");
        if (report.state() == RecoveryState.FAILED && !known) {
            throw new Violation("given up without need: the recovery of \"" + report.instance() + "\": " + detail);
        }
    }

    private static void checkGone(String name, Optional<RecoveryReport> last) {
        RecoveryReport report = last.orElseThrow(
                () -> new Violation("an instance is lost: \"" + name + "\" was promised, and is gone"));
        String detail = detail(report);
        boolean stated = report.state() == RecoveryState.FAILED || detail.contains("starts nothing in its place");
        if (!stated || detail.isEmpty()) {
            throw new Violation("an instance is lost: the last recovery of \"" + name + "\" is " + report.state() + " ("
                    + detail + "), and it is gone");
        }
    }

    /** What no instance has any more has come back, all of it. */
    private void checkAccounts(Daemon daemon) {
        for (int id = 1; id <= world.machine().lastId(); id++) {
            int number = id;
            boolean known = daemon.instances().list().stream().anyMatch(one -> one.id() == number);
            if (known) {
                continue;
            }
            Optional<Kernel> kernel = world.machine().kernel(id);
            if (kernel.filter(one -> one.runs() || !one.released).isPresent()) {
                throw new Violation("something leaks: nobody knows " + kernel.get() + " any more, and it "
                        + (kernel.get().runs() ? "runs" : "was not given back"));
            }
            if (world.machine().directories().contains(id)) {
                throw new Violation("something leaks: directory " + id + " is of no instance");
            }
        }
    }
}
