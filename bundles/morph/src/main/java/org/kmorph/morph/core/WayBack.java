// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

import org.kmorph.morph.core.Event.Done;
import org.kmorph.morph.core.Event.Failed;
import org.kmorph.morph.core.Event.GivenBack;
import org.kmorph.morph.core.Event.WindowOver;
import org.kmorph.morph.core.Event.WorkloadIs;

/**
 * The provisional window of a committed morph, and the way back from it. The way out is a handing over like the one before it, with the two
 * kernels' parts exchanged: the target lets go for good and says so, the journal has that, and then the source runs what it kept. What lets
 * the target go is that its workload has not begun: as long as it has not, the target's agent takes nothing in for it and no client has
 * heard of it, so the state of the freeze is what it was. One that has begun may have told anybody anything, and is never taken back.
 */
final class WayBack {
    private WayBack() {}

    static MorphState after(MorphState state, Event event) {
        return switch (state.step()) {
            case PROVISIONAL -> provisional(state, event);
            case READY_SOURCE -> ready(state, event);
            case ASK_WORKLOAD -> stands(state, event);
            case GIVE_BACK -> givenBack(state, event);
            case TAKE_BACK -> takenBack(state, event);
            case CLOSE_TARGET -> MorphCore.isTaken(event) ? state.at(Step.TAKE_NAME_BACK) : state;
            default -> named(state, event);
        };
    }

    /** Whether the target could still say that it gives the workload back, or would be asked to. */
    static boolean mayStillAsk(Step step) {
        return switch (step) {
            case PROVISIONAL, READY_SOURCE, ASK_WORKLOAD, RECORD_RETURNING, GIVE_BACK -> true;
            default -> false;
        };
    }

    private static MorphState provisional(MorphState state, Event event) {
        if (event instanceof WindowOver) {
            return state.at(Step.REMOVE_SOURCE);
        }
        if (event instanceof Failed failed) {
            return stays(
                    state,
                    "the new kernel does not answer (" + failed.why()
                            + "), so nobody can say whether its workload has told anybody anything");
        }
        if (!(event instanceof WorkloadIs is) || is.trouble().isEmpty()) {
            return state;
        }
        return is.begun()
                ? begunAfterAll(state, is.trouble())
                : state.becoming(Outcome.COMMITTED, is.trouble()).at(Step.READY_SOURCE);
    }

    /** A person wants the old kernel back: the target's agent says whether that can be. */
    static MorphState asked(MorphState state, String why) {
        return state.becoming(Outcome.COMMITTED, why).at(Step.READY_SOURCE);
    }

    private static MorphState begunAfterAll(MorphState state, String trouble) {
        return stays(state, trouble + " after it had begun there and may have answered clients");
    }

    /** The new kernel has the workload, whatever has become of it there. */
    private static MorphState stays(MorphState state, String because) {
        return state.becoming(
                        Outcome.COMMITTED,
                        "not rolled back: " + because + "; the old kernel's state may be stale and is not put back")
                .at(Step.REMOVE_SOURCE);
    }

    static MorphState targetEnded(MorphState state, String how) {
        return stays(
                state,
                "the new kernel ended within its provisional window (" + how
                        + "), so nobody can say whether its workload has told anybody anything: this is for healing");
    }

    /** It is not tried again. */
    static MorphState sourceEnded(MorphState state, String how) {
        String why = "it has ended: " + how;
        return state.step() == Step.READY_SOURCE ? notReady(state, why) : notTaken(state, why);
    }

    private static MorphState notReady(MorphState state, String why) {
        return state.becoming(
                        Outcome.COMMITTED,
                        state.why() + "; not rolled back: the old kernel cannot take it back: " + why)
                .at(Step.ASK_WORKLOAD);
    }

    /** The source owns the workload, and nobody can say whether it runs it: it has the name, and what is healed, or HELD, is it. */
    private static MorphState notTaken(MorphState state, String why) {
        return state.becoming(
                        Outcome.FAILED,
                        state.why() + "; the old kernel could not take it back: " + why + ": this is for healing")
                .at(Step.TAKE_NAME_BACK);
    }

    private static MorphState ready(MorphState state, Event event) {
        if (event instanceof Failed failed) {
            return notReady(state, failed.why());
        }
        return event instanceof Done ? state.at(Step.RECORD_RETURNING) : state;
    }

    /** One that may yet begin is left to it: it has the only state that there is. */
    private static MorphState stands(MorphState state, Event event) {
        if (event instanceof WorkloadIs is) {
            return is.ended() && !is.begun() ? lost(state, state.why()) : state.at(Step.REMOVE_SOURCE);
        }
        if (!(event instanceof Failed failed)) {
            return state;
        }
        return state.attempts() + 1 < MorphCore.MOST_ATTEMPTS
                ? state.at(Step.ASK_WORKLOAD)
                : lost(state, state.why() + "; nor does the new one say whether it has begun: " + failed.why());
    }

    private static MorphState givenBack(MorphState state, Event event) {
        if (event instanceof GivenBack) {
            return state.at(Step.RECORD_RETURNED);
        }
        if (event instanceof WorkloadIs is) {
            return is.ended()
                    ? begunAfterAll(state, "the workload ended")
                    : state.becoming(
                                    Outcome.COMMITTED,
                                    "not rolled back: the workload began on the new kernel after all, late")
                            .at(Step.REMOVE_SOURCE);
        }
        if (!(event instanceof Failed failed)) {
            return state;
        }
        return state.attempts() + 1 < MorphCore.MOST_ATTEMPTS
                ? state.at(Step.GIVE_BACK)
                : lost(
                        state,
                        state.why() + "; not rolled back: whether the new kernel has given the workload back is not"
                                + " known: " + failed.why());
    }

    private static MorphState takenBack(MorphState state, Event event) {
        if (event instanceof Done) {
            return state.at(Step.CLOSE_TARGET);
        }
        if (!(event instanceof Failed failed)) {
            return state;
        }
        return state.attempts() + 1 < MorphCore.MOST_ATTEMPTS
                ? state.at(Step.TAKE_BACK)
                : notTaken(state, failed.why());
    }

    private static MorphState lost(MorphState state, String why) {
        return state.becoming(Outcome.FAILED, why + ": this is for healing").at(Step.REMOVE_SOURCE);
    }

    private static MorphState named(MorphState state, Event event) {
        if (event instanceof Done) {
            return state.at(state.outcome() == Outcome.FAILED ? Step.FENCE_SPENT : Step.REMOVE_TARGET);
        }
        return event instanceof Failed failed
                ? state.becoming(
                                Outcome.FAILED,
                                state.why() + "; the old kernel, which had the workload again, is gone: " + failed.why()
                                        + ": this is for healing")
                        .at(Step.FENCE_LOST)
                : state;
    }
}
