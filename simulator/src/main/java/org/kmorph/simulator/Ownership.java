// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.kmorph.kmp.message.WorkloadState;

/** Who may run which workload, and on which state: docs/morph.md. What is not so it throws. */
final class Ownership {
    /** Events of one moment happen one after the other. */
    private static final long MOMENT_NANOS = 1_000_000;

    private final World world;

    /** The stamp of the state that was worked on last, by workload. */
    private final Map<String, Long> latest = new HashMap<>();

    /** A state that was moved: to whom, by which morph, and the stamps of it and of the state that was worked on last. */
    private record Copy(Kernel kernel, UUID operation, long stamp, long latest) {}

    /** Those that have taken over and lived until the journal said so. */
    private final Set<Kernel> heard = new HashSet<>();

    /** What was taken over last, by workload. */
    private final Map<String, Copy> moved = new HashMap<>();

    Ownership(World world) {
        this.world = world;
    }

    /** After each event. */
    void check() {
        List<Kernel> running = world.machine().running();
        for (int first = 0; first < running.size(); first++) {
            Kernel one = running.get(first);
            if (!one.work.owned()) {
                continue;
            }
            checkThaws(one);
            for (int second = first + 1; second < running.size(); second++) {
                Kernel other = running.get(second);
                if (other.work.owned() && one.work.of.equals(other.work.of)) {
                    throw new Violation(
                            "two owners: " + one + " and " + other + " run the workload of \"" + one.work.of + "\"");
                }
            }
        }
    }

    private void checkThaws(Kernel kernel) {
        long now = world.scheduler().now();
        boolean held = kernel.life.pausedAt(now) || kernel.disturbedNanos >= now;
        if (kernel.work.state == WorkloadState.FROZEN && !held && now > kernel.morphs.leaseEndNanos() + MOMENT_NANOS) {
            throw new Violation("frozen for longer than its lease: the workload on " + kernel);
        }
    }

    /** A workload begins anew, with nothing of what it was. */
    void begins(Kernel kernel) {
        kernel.work.state = WorkloadState.RUNNING;
        kernel.work.stamp = latest.merge(kernel.work.of, 1L, Long::sum);
        check();
    }

    /** The journal says that the workload of that name was taken over. */
    void committed(String of) {
        Optional.ofNullable(moved.get(of))
                .map(Copy::kernel)
                .filter(Kernel::runs)
                .ifPresent(heard::add);
    }

    /** One that was frozen runs on. */
    void resumes(Kernel kernel) {
        begins(kernel);
    }

    /** A workload goes on here with what was moved here. */
    void takesOver(Kernel kernel, UUID operation, long stamp) {
        Copy copy = new Copy(kernel, operation, stamp, latest.getOrDefault(kernel.work.of, 0L));
        Copy before = moved.get(kernel.work.of);
        // the kernel that it was given to has died before it could say that it runs it, and somebody else has it now
        boolean again = before != null
                && (before.operation().equals(operation) || !heard.contains(before.kernel()))
                && before.stamp() == stamp
                && before.latest() + 1 == copy.latest();
        if (stamp != copy.latest() && !again) {
            throw new Violation("run from a stale copy: " + kernel + " has the state of the workload of \""
                    + kernel.work.of + "\" as it was at " + stamp + ", and it was worked on since, until "
                    + latest.get(kernel.work.of));
        }
        moved.put(kernel.work.of, copy);
        begins(kernel);
    }
}
