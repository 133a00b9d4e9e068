// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthListener;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceListener;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.recovery.RecoveryState;

/** Sees everything that happens and knows what never may: docs/simulator.md, Invariants. What it finds it throws. */
final class Judge implements HealthListener, InstanceListener {
    /** After a disturbance a probe that was sent in it may still be unanswered, for {@code Judgement}'s longest probe. */
    private static final long AFTERMATH_NANOS = Duration.ofMillis(2_500).toNanos();

    /** A morph gives up what it cannot reach after so long. */
    private static final long MORPH_PATIENCE_NANOS = Duration.ofSeconds(15).toNanos();

    private final World world;

    /** What the journal has said is on disk, in order. */
    private final List<Entry> acknowledged = new ArrayList<>();

    /** What is written and not acknowledged: after a crash all of it may be there, or nothing. */
    private final List<Entry> inFlight = new ArrayList<>();

    /** Ids of kernels that others know to run. */
    private final Set<Integer> announced = new HashSet<>();

    /** Ids of kernels that were found to have failed. */
    private final Set<Integer> condemned = new HashSet<>();

    /** Ids of kernels that a person has asked to end. */
    private final Set<Integer> givenUp = new HashSet<>();

    /**
     * Kernels that it was right to fence, when that was tried first. Where their host could not confirm it that is tried again, also if the
     * kernel has stirred meanwhile: a fence may work late, so nobody can rely on one that is under a fence.
     */
    private final Set<Kernel> underFence = new HashSet<>();

    /** When a recovery was found recorded first to have all given back, by operation. */
    private final Map<String, Long> restoringNanos = new HashMap<>();

    /** Ids of instances that were healed, or are being. */
    private final Set<String> healed = new HashSet<>();

    private final Cascade cascade;
    private final Ownership ownership;
    private boolean diskLied;

    /** So many of the acknowledged are on disk; those behind were only noted. */
    private int durable;

    Judge(World world) {
        this.world = world;
        cascade = new Cascade(world);
        ownership = new Ownership(world);
    }

    /** After each event. */
    void check() {
        ownership.check();
    }

    Ownership ownership() {
        return ownership;
    }

    void started(Kernel kernel) {
        Optional<Entry> recovery = openRecovery(kernel.name);
        if (recovery.isPresent()
                && restoringNanos.containsKey(recovery.get().key())
                && !world.wallClockJumps()
                && !world.operator().spawns(kernel.work.of)) {
            long wait = Backoff.nanos(recovery.get());
            long waited =
                    world.scheduler().now() - restoringNanos.get(recovery.get().key());
            if (waited < wait) {
                throw new Violation("a crash loop is not slowed down: " + kernel + " is started "
                        + waited / 1_000_000 + " ms after its predecessor had been given back, at crash "
                        + recovery.get().fields().get("crashes") + " that is to be " + wait / 1_000_000 + " ms");
            }
        }
    }

    private Optional<Entry> openRecovery(String name) {
        for (int at = acknowledged.size() - 1; at >= 0; at--) {
            Entry entry = acknowledged.get(at);
            if (entry.kind().equals("recovery") && entry.instance().equals(Optional.of(name))) {
                boolean over =
                        RecoveryState.valueOf(entry.fields().get("state")).over();
                return over ? Optional.empty() : Optional.of(entry);
            }
        }
        return Optional.empty();
    }

    void fencing(Kernel kernel) {
        boolean asked = givenUp.contains(kernel.id)
                || world.operator().unwanted(kernel.work.of)
                || isOfMorph(kernel)
                || underFence.contains(kernel) && kernel.hostFailed;
        if (kernel.runs() && announced.contains(kernel.id) && !condemned.contains(kernel.id) && !asked) {
            throw new Violation(
                    "a healthy instance is harmed: " + kernel + " is fenced, and nobody has found it failed");
        }
        underFence.add(kernel);
    }

    /** A side of a morph that does not own the workload is ended with the morph; one that does when it could not be reached. */
    private boolean isOfMorph(Kernel kernel) {
        boolean morphed = acknowledged.stream()
                .anyMatch(entry ->
                        entry.kind().equals("morph") && entry.instance().equals(Optional.of(kernel.work.of)));
        return morphed && (!kernel.work.owned() || mayBeOutOfReach(kernel));
    }

    private boolean mayBeOutOfReach(Kernel kernel) {
        long since = world.scheduler().now() - MORPH_PATIENCE_NANOS;
        boolean disturbed = kernel.disturbedNanos >= since && kernel.disturbedNanos > kernel.listensFromNanos;
        return disturbed || kernel.agentForgot || world.calmFromNanos() >= since || kernel.line.everBad();
    }

    /** Its workload is told to end. @param operation by which; that of a cold morph ends it there to begin it elsewhere */
    void retiring(Kernel kernel, UUID operation) {
        boolean cold = acknowledged.stream()
                .anyMatch(entry -> entry.kind().equals("morph") && entry.key().equals(operation.toString()));
        boolean asked = givenUp.contains(kernel.id)
                || condemned.contains(kernel.id)
                || world.operator().unwanted(kernel.work.of);
        if (kernel.work.owned() && !cold && !asked && !mayBeOutOfReach(kernel)) {
            throw new Violation("a healthy instance is harmed: the workload on " + kernel
                    + " is ended, and nobody has asked for that");
        }
    }

    void capturing(Kernel kernel) {
        if (kernel.runs() || !kernel.fenced || kernel.released && !diskLied) {
            throw new Violation("memory is touched that is not the daemon's: that of " + kernel);
        }
    }

    void releasing(Kernel kernel) {
        if (kernel.runs()) {
            throw new Violation("reclaimed while it runs: what " + kernel + " has is given back");
        }
        if (!kernel.fenced) {
            throw new Violation("reclaimed unfenced: what " + kernel + " had is given back, and nobody has confirmed"
                    + " that it runs no more");
        }
    }

    void written(List<Entry> entries) {
        inFlight.clear();
        inFlight.addAll(entries);
        for (Entry entry : entries) {
            Map<String, String> fields = entry.fields();
            boolean ended = entry.kind().equals("instance")
                    && fields.get("state").equals("FENCING")
                    && world.operator().ends(entry.key());
            boolean recovered =
                    entry.kind().equals("recovery") && !fields.get("by").equals("policy");
            if (ended || recovered) {
                givenUp.add(Integer.parseInt(fields.get("id")));
            }
            if (entry.kind().equals("recovery") && fields.get("by").equals("policy")) {
                // whoever was to be told of the judgement may have died before
                world.machine()
                        .kernel(Integer.parseInt(fields.get("id")))
                        .filter(kernel -> !condemned.contains(kernel.id))
                        .ifPresent(kernel -> condemned(kernel, fields.get("reason")));
            }
            if (entry.kind().equals("recovery") && isLeftToMorph(fields)) {
                healed.remove(patient(entry));
            }
        }
    }

    /** It will be on disk with the next record; the death of a daemon does not take it away. */
    void noted(Entry entry) {
        acknowledged.add(entry);
        world.say("journal", () -> told(entry));
    }

    /** From now on acknowledged records may be lost with power. */
    void diskLies() {
        diskLied = true;
    }

    void acknowledged(List<Entry> entries) {
        inFlight.clear();
        acknowledged.addAll(entries);
        durable = acknowledged.size();
        for (Entry entry : entries) {
            world.say("journal", () -> told(entry));
            if (entry.kind().equals("morph")
                    && "COMMITTED".equals(entry.fields().get("mark"))) {
                ownership.committed(Work.of(entry.instance().orElse("")));
            }
            if (entry.kind().equals("recovery")) {
                if (entry.fields().get("state").equals("RESTORING_WORK")) {
                    restoringNanos.putIfAbsent(entry.key(), world.scheduler().now());
                }
                accounts(entry);
                beginsOnce(entry);
                saysWhy(entry);
                cascade.recorded(entry);
            }
        }
    }

    /** Whatever a recovery is over for has come back, all of it; and what a person ends meanwhile comes back by that. */
    private void accounts(Entry recovery) {
        Map<String, String> fields = recovery.fields();
        boolean complete = fields.get("state").equals("RECOVERY_COMPLETE")
                && !fields.get("detail").equals("somebody else has ended it")
                && !isLeftToMorph(fields);
        int id = Integer.parseInt(fields.get("id"));
        if (!complete || diskLied) {
            return;
        }
        if (world.machine()
                        .kernel(id)
                        .filter(one -> one.runs() || !one.released)
                        .isPresent()
                || world.machine().directories().contains(id)) {
            throw new Violation("not all came back: the recovery of \""
                    + recovery.instance().orElse("") + "\" is complete, and instance " + id + " has something still");
        }
    }

    /** Nothing was done, and it begins anew when the morph is over, if it is still needed. */
    private static boolean isLeftToMorph(Map<String, String> fields) {
        return fields.get("detail").equals("a morph of it was begun in the same moment, and goes first");
    }

    private static String patient(Entry recovery) {
        return recovery.instance().orElse("") + "/" + recovery.fields().get("id");
    }

    private void beginsOnce(Entry recovery) {
        Map<String, String> fields = recovery.fields();
        String patient = patient(recovery);
        boolean begins = fields.get("state").equals("PREPARING_RECOVERY")
                && fields.get("by").equals("policy");
        if (begins && !healed.add(patient)) {
            throw new Violation("an instance is healed twice: " + patient);
        }
    }

    /** What was seen to end is not said to have been silent. */
    private static void saysWhy(Entry recovery) {
        Map<String, String> fields = recovery.fields();
        boolean seen = fields.get("reason").startsWith("kernel panic")
                || fields.get("reason").startsWith("killed");
        if (seen && fields.get("cause").equals("SILENCE")) {
            throw new Violation("the evidence is wrong: the recovery of \""
                    + recovery.instance().orElse("") + "\" is for SILENCE, and its reason is: " + fields.get("reason"));
        }
    }

    private static String told(Entry entry) {
        Map<String, String> fields = entry.fields();
        return entry.kind() + " " + entry.instance().orElse(entry.key()) + ": "
                + (fields.containsKey("state") ? fields.get("state") + " (" + fields.get("detail") + ")" : fields)
                + (entry.closes() ? ", closed" : "");
    }

    /** A daemon has read the journal. */
    void recovered(List<Entry> found) {
        List<Entry> withInFlight = new ArrayList<>(acknowledged);
        withInFlight.addAll(inFlight);
        boolean whole = found.size() >= durable
                && found.size() <= withInFlight.size()
                && found.equals(withInFlight.subList(0, found.size()))
                && (found.size() == withInFlight.size() || found.size() <= acknowledged.size());
        if (!whole && !diskLied) {
            throw new Violation("an acknowledged record is lost: " + acknowledged.size() + " were acknowledged, "
                    + inFlight.size() + " more were written, and " + found.size() + " are there");
        }
        if (!whole) {
            world.say("disk", () -> "its lies come out: " + (acknowledged.size() - found.size()) + " records are lost");
            world.forgiveLosses();
            // with the records the ids are forgotten, and given out again
            healed.clear();
            announced.clear();
            cascade.forget();
        }
        acknowledged.clear();
        acknowledged.addAll(found);
        durable = found.size();
        inFlight.clear();
    }

    /** The kernel below an agent is asked: nobody is to do that before the agent's time is over. */
    void asked(Kernel kernel) {
        long silent = world.scheduler().now() - kernel.heardNanos;
        boolean plain = world.judgesByTimeout() && !kernel.line.everBad();
        if (plain && kernel.heardNanos > 0 && silent < world.timeoutNanos()) {
            throw new Violation("condemned before its time: " + kernel + " was heard " + silent / 1_000 + " us ago, "
                    + world.timeoutNanos() / 1_000 + " us are allowed");
        }
    }

    @Override
    public void changed(HealthReport report, Health before) {
        world.say(
                "health",
                () -> report.instance() + " was " + before + " and is " + report.health() + ": " + report.reason());
        if (report.health() != Health.FAILED) {
            return;
        }
        // by the id: the name may be another's by the time that this is told
        world.machine().kernel(report.id()).ifPresent(kernel -> condemned(kernel, report.reason()));
    }

    private void condemned(Kernel kernel, String why) {
        long now = world.scheduler().now();
        boolean disturbed =
                now <= kernel.disturbedNanos + AFTERMATH_NANOS || now <= world.calmFromNanos() + AFTERMATH_NANOS;
        if (kernel.runs() && !disturbed) {
            throw new Violation("a healthy instance is found failed: " + kernel + ": " + why);
        }
        condemned.add(kernel.id);
    }

    @Override
    public void changed(Instance instance) {
        if (instance.state() == InstanceState.RUNNING) {
            announced.add(instance.id());
        }
    }

    @Override
    public void gone(Instance last) {
        // seen by the machine
    }

    @Override
    public void ended(Instance instance, String how) {
        world.machine().kernel(instance.id()).ifPresent(kernel -> {
            if (kernel.runs()) {
                throw new Violation("a healthy instance is said to have ended: " + kernel + ": " + how);
            }
        });
    }
}
