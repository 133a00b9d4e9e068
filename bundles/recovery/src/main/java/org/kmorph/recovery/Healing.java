// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.recovery.RecoveryState;

/**
 * The recovery of one instance as a pure state machine: no clock, no thread, no I/O. An event and the time go in, the next state and
 * what is to be done come out. The state is recorded before anything is done; every action may be done again, so a daemon that finds a
 * recovery in the journal goes on with {@link #resume}.
 *
 * <pre>
 *   begin ──> PREPARING_RECOVERY ──told──> FENCING ──confirmed──> CAPTURING_VMCORE ──> RECLAIMING_RESOURCES
 *                                             │ not confirmed          (where wanted)            │
 *                                             ▼                                      told, given back
 *                                           FAILED <── crash loop, no start ── RESTORING_WORK <──┘
 *                                                                                    │
 *                                                       RECOVERY_COMPLETE <──────────┘
 * </pre>
 *
 * Nothing is read of its memory and nothing of it is given back before {@link Event.Fenced}: the one way from FENCING onwards.
 *
 * @param patient who is healed
 * @param treatment how
 * @param state where it is
 * @param detail what the last step came to, for people
 * @param kernel what is started in RESTORING_WORK, where that is not its own
 * @param starts how many starts were tried in RESTORING_WORK
 * @param pause in RESTORING_WORK: how long after this was recorded the start is due
 * @param told once it is over: whether the surviving kernels were told how it ended; then nothing is left to be done
 */
record Healing(
        Patient patient,
        Treatment treatment,
        RecoveryState state,
        String detail,
        Optional<Path> kernel,
        int starts,
        Duration pause,
        boolean told) {

    /** What has happened. */
    sealed interface Event {
        /** The survivors have prepared, or their deadline is over. @param silent those that did not answer, for people; may be empty */
        record Prepared(String silent) implements Event {}

        /** A morph of it was begun in the moment in which this was: whose it is, is the morph's to settle first. */
        record BeingMorphed() implements Event {}

        /** The survivors know whose its resources are, or their deadline is over. */
        record Reclaimed(String silent) implements Event {}

        /** It is certain that it runs no more. */
        record Fenced() implements Event {}

        /** It is not certain. */
        record FenceUnconfirmed(String why) implements Event {}

        /**
         * Its memory was saved.
         *
         * @param what where, and what it says, for people
         * @param evidence the same, by name
         */
        record Captured(String what, Map<String, String> evidence) implements Event {
            public Captured {
                evidence = Map.copyOf(evidence);
            }
        }

        /** It was not. */
        record NotCaptured(String why) implements Event {}

        /** All it had was given back. */
        record Released() implements Event {}

        /** Not all of it was. */
        record ReleaseFailed(String why) implements Event {}

        /** The time that was asked for has come. */
        record Due() implements Event {}

        /** Its work is back. */
        record Restored(int instanceId) implements Event {}

        /** The standby cannot take over. */
        record NoStandby(String why) implements Event {}

        /** Its work could not be brought back. */
        record RestoreFailed(String why) implements Event {}

        /** The instance, or who was to do its work, is no more: somebody else has ended it. */
        record Gone() implements Event {}

        /** The survivors know how it ended, or their deadline is over. */
        record Told() implements Event {}
    }

    /** What is to be done. Each is answered by an event. */
    sealed interface Action {
        /** Tell the surviving kernels that it is about to be fenced; {@link Event.Prepared}, or {@link Event.BeingMorphed}. */
        record TellPrepare() implements Action {}

        /** {@link Event.Fenced}, {@link Event.FenceUnconfirmed} or {@link Event.Gone}. */
        record Fence() implements Action {}

        /** {@link Event.Captured} or {@link Event.NotCaptured}. */
        record Capture() implements Action {}

        /** {@link Event.Released} or {@link Event.ReleaseFailed}. */
        record Release() implements Action {}

        /** Tell the surviving kernels whose its resources are now; {@link Event.Reclaimed}. */
        record TellReclaim() implements Action {}

        /** {@link Event.Due} after that time. */
        record WaitFor(Duration time) implements Action {}

        /** As of {@link Start}, or {@link Event.NoStandby}. */
        record Promote(String standby) implements Action {}

        /** {@link Event.Restored}, {@link Event.Gone} or {@link Event.RestoreFailed}. */
        record Start(Optional<Path> kernel) implements Action {}

        /** Tell the surviving kernels how it ended; {@link Event.Told}. */
        record TellComplete() implements Action {}
    }

    /** The next state and what is to be done. */
    record Step(Healing healing, List<Action> actions) {
        Step {
            actions = List.copyOf(actions);
        }
    }

    static Step begin(Patient patient, Treatment treatment) {
        Healing healing = new Healing(
                patient,
                treatment,
                RecoveryState.PREPARING_RECOVERY,
                patient.reason(),
                Optional.empty(),
                0,
                Duration.ZERO,
                false);
        return healing.resume(Duration.ZERO);
    }

    /**
     * What is to be done first by a daemon that finds it so in the journal.
     *
     * @param since it was recorded
     */
    Step resume(Duration since) {
        return new Step(
                this,
                switch (state) {
                    case MONITORING, DETECTING_FAILURE -> List.of();
                    case RECOVERY_COMPLETE, FAILED -> told ? List.of() : List.of(new Action.TellComplete());
                    case PREPARING_RECOVERY -> List.of(new Action.TellPrepare());
                    case FENCING -> List.of(new Action.Fence());
                    case CAPTURING_VMCORE -> List.of(new Action.Capture());
                    case RECLAIMING_RESOURCES -> List.of(new Action.Release());
                    case RESTORING_WORK -> List.of(startIn(pause.minus(since)));
                });
    }

    /** An event that does not fit the state, as a late answer to a step that was done twice, changes nothing. */
    Step on(Event event) {
        return switch (state) {
            case PREPARING_RECOVERY -> preparing(event);
            case FENCING -> fencing(event);
            case CAPTURING_VMCORE -> capturing(event);
            case RECLAIMING_RESOURCES -> reclaiming(event);
            case RESTORING_WORK -> restoring(event);
            case RECOVERY_COMPLETE, FAILED -> over(event);
            case MONITORING, DETECTING_FAILURE -> stay();
        };
    }

    private Step over(Event event) {
        return event instanceof Event.Told && !told
                ? new Step(new Healing(patient, treatment, state, detail, kernel, starts, pause, true), List.of())
                : stay();
    }

    private Step preparing(Event event) {
        if (event instanceof Event.Prepared prepared) {
            return to(RecoveryState.FENCING, told(prepared.silent()) + "it is fenced", new Action.Fence());
        }
        if (event instanceof Event.BeingMorphed) {
            String why = "a morph of it was begun in the same moment, and goes first";
            return new Step(
                    new Healing(
                            patient,
                            treatment,
                            RecoveryState.RECOVERY_COMPLETE,
                            why,
                            kernel,
                            starts,
                            Duration.ZERO,
                            true),
                    List.of());
        }
        return stay();
    }

    private Step fencing(Event event) {
        if (event instanceof Event.Fenced) {
            return treatment.capture().isPresent()
                    ? to(RecoveryState.CAPTURING_VMCORE, "it runs no more", new Action.Capture())
                    : to(RecoveryState.RECLAIMING_RESOURCES, "it runs no more", new Action.Release());
        }
        if (event instanceof Event.FenceUnconfirmed unconfirmed) {
            return to(
                    RecoveryState.FAILED,
                    "it is not certain that it runs no more, so nothing of it is reused: " + unconfirmed.why(),
                    new Action.TellComplete());
        }
        return event instanceof Event.Gone ? endedBySomebody() : stay();
    }

    private Step endedBySomebody() {
        return to(RecoveryState.RECOVERY_COMPLETE, "somebody else has ended it", new Action.TellComplete());
    }

    private Step capturing(Event event) {
        if (event instanceof Event.Captured captured) {
            Healing next = new Healing(
                    patient.knowing(captured.evidence()),
                    treatment,
                    RecoveryState.RECLAIMING_RESOURCES,
                    captured.what(),
                    kernel,
                    starts,
                    Duration.ZERO,
                    false);
            return new Step(next, List.of(new Action.Release()));
        }
        if (event instanceof Event.NotCaptured failed) {
            return to(
                    RecoveryState.RECLAIMING_RESOURCES,
                    "its memory was not saved: " + failed.why(),
                    new Action.Release());
        }
        return stay();
    }

    private Step reclaiming(Event event) {
        if (event instanceof Event.Released) {
            return new Step(this, List.of(new Action.TellReclaim()));
        }
        if (event instanceof Event.ReleaseFailed failed) {
            return to(
                    RecoveryState.FAILED,
                    "not all it had could be given back: " + failed.why(),
                    new Action.TellComplete());
        }
        if (event instanceof Event.Reclaimed reclaimed) {
            return reclaimed(told(reclaimed.silent()));
        }
        return stay();
    }

    private Step reclaimed(String told) {
        if (treatment.standby().isPresent()) {
            String standby = treatment.standby().get();
            return to(
                    RecoveryState.RESTORING_WORK,
                    told + "all it had was given back; \"" + standby + "\" takes over",
                    new Action.Promote(standby));
        }
        return startInItsPlace(told);
    }

    private Step startInItsPlace(String told) {
        if (treatment.action() == Treatment.Action.STOP) {
            return to(
                    RecoveryState.RECOVERY_COMPLETE,
                    told + "its policy starts nothing in its place",
                    new Action.TellComplete());
        }
        int crashes = patient.crashes();
        if (crashes > treatment.maxCrashes()) {
            return to(
                    RecoveryState.FAILED,
                    told + "it has failed " + crashes + " times within "
                            + treatment.window().toSeconds() + " s, " + treatment.maxCrashes()
                            + " are allowed: nothing is started in its place",
                    new Action.TellComplete());
        }
        Optional<Path> instead = treatment.fallsBack(crashes) ? treatment.knownGood() : Optional.empty();
        Duration before = treatment.waitBefore(crashes);
        String detail = told
                + instead.map(path -> "it has failed " + crashes + " times: back to kernel " + path)
                        .orElse("all it had was given back")
                + (before.isZero() ? "" : "; started in " + before.toMillis() + " ms");
        return new Healing(patient, treatment, RecoveryState.RESTORING_WORK, detail, instead, 0, before, false)
                .resume(Duration.ZERO);
    }

    private Step restoring(Event event) {
        if (event instanceof Event.Due) {
            return new Step(this, List.of(bringBack()));
        }
        if (event instanceof Event.NoStandby none) {
            String told = "\"" + treatment.standby().orElse("") + "\" cannot take over: " + none.why() + "; ";
            return new Healing(patient, treatment.withoutStandby(), state, detail, kernel, starts, pause, false)
                    .startInItsPlace(told);
        }
        if (event instanceof Event.Restored restored) {
            return to(
                    RecoveryState.RECOVERY_COMPLETE,
                    "instance " + restored.instanceId() + " does its work now",
                    new Action.TellComplete());
        }
        if (event instanceof Event.Gone) {
            return endedBySomebody();
        }
        if (event instanceof Event.RestoreFailed failed) {
            int tried = starts + 1;
            if (tried >= treatment.tries()) {
                return to(
                        RecoveryState.FAILED,
                        "it could not be started in " + tried + " tries: " + failed.why(),
                        new Action.TellComplete());
            }
            Duration before = treatment.waitBefore(Math.max(2, patient.crashes()) + tried - 1);
            String detail = "start " + tried + " failed, the next in " + before.toMillis() + " ms: " + failed.why();
            return new Healing(patient, treatment, state, detail, kernel, tried, before, false).resume(Duration.ZERO);
        }
        return stay();
    }

    private Action startIn(Duration left) {
        return left.isNegative() || left.isZero() ? bringBack() : new Action.WaitFor(left);
    }

    private Action bringBack() {
        return treatment.standby().<Action>map(Action.Promote::new).orElseGet(() -> new Action.Start(kernel));
    }

    private static String told(String silent) {
        return silent.isEmpty() ? "" : "no answer from " + silent + "; ";
    }

    private Step stay() {
        return new Step(this, List.of());
    }

    private Step to(RecoveryState next, String why, Action action) {
        return new Step(
                new Healing(patient, treatment, next, why, kernel, starts, Duration.ZERO, false), List.of(action));
    }
}
