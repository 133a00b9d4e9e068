// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

import org.kmorph.morph.core.Event.Done;
import org.kmorph.morph.core.Event.Failed;
import org.kmorph.morph.core.Event.Restored;
import org.kmorph.morph.core.Event.TargetIs;

/**
 * From the source's release to whoever runs the workload then: the target, a successor of it, or the source again. Each is told to only
 * when those before are fenced for certain. Where that cannot be had, one of them may run it: it has the name, and nothing is started.
 */
final class Taking {
    private Taking() {}

    static MorphState after(MorphState state, Event event) {
        return switch (state.step()) {
            case ACTIVATE -> activated(state, event);
            case ASK_TARGET -> asked(state, event);
            case FENCE_TARGET -> fenced(state, event);
            case RESTORE -> restored(state, event);
            default -> allFenced(state, event);
        };
    }

    static MorphState targetEnded(MorphState state) {
        return state.step() == Step.ACTIVATE ? state.at(Step.FENCE_TARGET) : state;
    }

    private static MorphState activated(MorphState state, Event event) {
        if (event instanceof Failed) {
            return state.at(Step.ASK_TARGET);
        }
        return event instanceof Done ? state.at(Step.RECORD_COMMITTED) : state;
    }

    private static MorphState asked(MorphState state, Event event) {
        if (event instanceof TargetIs target && target.active()) {
            return state.at(Step.RECORD_COMMITTED);
        }
        return event instanceof TargetIs || event instanceof Failed ? state.at(Step.FENCE_TARGET) : state;
    }

    private static MorphState fenced(MorphState state, Event event) {
        if (event instanceof Done) {
            return state.at(Step.RESTORE);
        }
        if (!(event instanceof Failed failed)) {
            return state;
        }
        return state.attempts() + 1 < MorphCore.MOST_ATTEMPTS
                ? state.at(Step.FENCE_TARGET)
                : lost(
                        state,
                        "the old kernel has released its workload, and whether the new one runs it is not known: "
                                + failed.why());
    }

    private static MorphState restored(MorphState state, Event event) {
        if (event instanceof Restored) {
            return state.becoming(Outcome.NONE, successor(state.cold())).at(Step.RECORD_COMMITTED);
        }
        if (!(event instanceof Failed failed)) {
            return state;
        }
        return state.attempts() + 1 < MorphCore.MOST_ATTEMPTS
                ? state.at(Step.RESTORE)
                : state.becoming(
                                Outcome.NONE,
                                "the old kernel has released its workload and no new one could take it: "
                                        + failed.why())
                        .at(Step.FENCE_SUCCESSOR);
    }

    private static String successor(boolean cold) {
        String died =
                "the new kernel died after the old one had let go and before it could say that it ran the workload; a"
                        + " successor of it ";
        return died
                + (cold
                        ? "has begun it anew"
                        : "goes on from the freeze: if the first has answered a client, that answer is not in it");
    }

    /** Of a cold morph nothing was kept: healing begins the workload anew, as the morph would have. */
    private static MorphState allFenced(MorphState state, Event event) {
        if (event instanceof Failed failed) {
            return lost(state, state.why() + "; whether that runs it is not known: " + failed.why());
        }
        if (!(event instanceof Done)) {
            return state;
        }
        return state.cold()
                ? state.becoming(Outcome.FAILED, state.why() + ": this is for healing")
                        .at(Step.FENCE_SPENT)
                : state.becoming(
                                Outcome.NONE,
                                state.why() + "; the old one is given it back as it was at the freeze: if a new one had"
                                        + " answered a client, that answer is not in it")
                        .at(Step.RECORD_RETURNED);
    }

    private static MorphState lost(MorphState state, String why) {
        return state.becoming(Outcome.FAILED, why + ": this is for healing").at(Step.RECORD_LOST);
    }
}
