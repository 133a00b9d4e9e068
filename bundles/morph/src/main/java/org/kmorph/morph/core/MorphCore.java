// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

import java.time.Duration;
import org.kmorph.morph.core.Event.Begin;
import org.kmorph.morph.core.Event.CommitAsked;
import org.kmorph.morph.core.Event.Done;
import org.kmorph.morph.core.Event.Failed;
import org.kmorph.morph.core.Event.Frozen;
import org.kmorph.morph.core.Event.HandingOver;
import org.kmorph.morph.core.Event.Refresh;
import org.kmorph.morph.core.Event.Restarted;
import org.kmorph.morph.core.Event.RollbackAsked;
import org.kmorph.morph.core.Event.RoundOver;
import org.kmorph.morph.core.Event.SourceEnded;
import org.kmorph.morph.core.Event.SourceFenced;
import org.kmorph.morph.core.Event.SourceIs;
import org.kmorph.morph.core.Event.TargetEnded;
import org.kmorph.morph.core.Event.TargetIs;

/**
 * What is done next. A pure function of where the morph is, what happened, and when; the step of the state that it answers with is to be
 * taken, unless it is the step of the state before and nothing in it changed.
 *
 * <p>The source owns the workload until it has answered that it released it; from then on whoever the journal names. So until RELEASE is
 * sent every failure ends with the source running, and once the journal says RELEASED nothing leads back. Between the two the source's
 * word decides, and if it has none any more, whether it provably died frozen.
 */
public final class MorphCore {
    /** A round that is no smaller than this part of the one before gains nothing. */
    private static final double WORTH_ANOTHER = 0.7;

    private static final int MOST_ROUNDS = 10;

    /** Attempts at what must not be given up lightly. */
    static final int MOST_ATTEMPTS = 3;

    private final long smallRound;
    private final long marginNanos;

    /**
     * @param smallRound of so many bytes or fewer, a round is small enough to freeze after it
     * @param margin what must be left of a lease for a release; it covers the drift of clocks over a lease
     */
    public MorphCore(long smallRound, Duration margin) {
        this.smallRound = smallRound;
        this.marginNanos = margin.toNanos();
    }

    /** @param now by the clock that leases are measured with, in nanoseconds */
    public MorphState after(MorphState state, Event event, long now) {
        if (event instanceof Begin begin) {
            return state.begun(begin.cold(), begin.direct(), begin.autoCommit()).at(Step.SPAWN_TARGET);
        }
        if (event instanceof Restarted restarted) {
            return restarted(state.marked(restarted.mark())
                    .begun(restarted.cold(), restarted.direct(), restarted.mark() != Mark.PREPARED));
        }
        if (event instanceof RollbackAsked asked) {
            return rollbackAsked(state, asked.why());
        }
        if (event instanceof SourceEnded ended) {
            return sourceEnded(state, ended.how());
        }
        if (event instanceof TargetEnded ended) {
            return targetEnded(state, ended.how());
        }
        return switch (state.step()) {
            case PREPARED -> prepared(state, event);
            case PULL, PULL_LAST -> pulled(state, event);
            case FREEZE -> frozen(state, event);
            case VALIDATE_FINAL -> validated(state, event, now);
            case RELEASE, RETIRE -> released(state, event);
            case HAND_OVER -> handedOver(state, event);
            case ASK_SOURCE -> asked(state, event);
            case FENCE_SOURCE -> sourceFenced(state, event);
            case CHECK_TARGET -> targetChecked(state, event);
            case ACTIVATE, ASK_TARGET, FENCE_TARGET, RESTORE, FENCE_SUCCESSOR -> Taking.after(state, event);
            case RECORD_PREPARED,
                    RECORD_RELEASING,
                    RECORD_RELEASED,
                    RECORD_LOST,
                    RECORD_COMMITTED,
                    RECORD_RETURNING,
                    RECORD_RETURNED,
                    RECORD_OVER -> recorded(state, event);
            case ROLL_BACK_SOURCE -> sourceRolledBack(state, event);
            case ROLL_BACK_TARGET, FENCE_SPENT -> isTaken(event) ? state.at(Step.REMOVE_TARGET) : state;
            case REMOVE_TARGET, FENCE_LOST -> isTaken(event) ? state.at(Step.RECORD_OVER) : state;
            case REMOVE_SOURCE -> isTaken(event) ? sourceRemoved(state) : state;
            case PROVISIONAL, READY_SOURCE, ASK_WORKLOAD, GIVE_BACK, TAKE_BACK, CLOSE_TARGET, TAKE_NAME_BACK ->
                WayBack.after(state, event);
            case TAKE_NAME -> named(state, event);
            case SPAWN_TARGET, PREPARE_SOURCE, PREPARE_TARGET, NEGOTIATE, REHEARSE, REHEARSE_LAST ->
                begun(state, event);
            case OVER -> state;
        };
    }

    /**
     * What a new daemon does: it asks the source, unless the journal says enough. What was prepared stays so if the two agents go on with
     * another round as if nothing had been; state that went through the former daemon's hands cannot.
     */
    private static MorphState restarted(MorphState state) {
        return switch (state.mark()) {
            case BEGUN -> rollBack(state, "the daemon was restarted");
            case PREPARED ->
                state.direct() && !state.cold() ? state.at(Step.PULL) : rollBack(state, "the daemon was restarted");
            // of a cold morph the source knows nothing until it is told to end its workload, which it may be told again
            case RELEASING -> state.at(state.cold() ? Step.RETIRE : Step.ASK_SOURCE);
            case RELEASED -> state.at(Step.ACTIVATE);
            case COMMITTED -> state.becoming(Outcome.COMMITTED, "").at(Step.TAKE_NAME);
            case RETURNING ->
                state.becoming(Outcome.COMMITTED, "its workload had not begun on the new kernel")
                        .at(Step.GIVE_BACK);
            case RETURNED ->
                state.becoming(Outcome.ROLLED_BACK, "its workload did not come to run on the new kernel")
                        .at(Step.TAKE_BACK);
            case LOST ->
                state.becoming(
                                Outcome.FAILED,
                                "the old kernel has released its workload, and whether a new one runs it is not known: this is for"
                                        + " healing")
                        .at(Step.TAKE_NAME);
        };
    }

    /** Whether the step is taken, however that went; what somebody asks for meanwhile is none of it. */
    static boolean isTaken(Event event) {
        return event instanceof Done || event instanceof Failed || event instanceof SourceFenced;
    }

    private static MorphState begun(MorphState state, Event event) {
        if (event instanceof Failed failed) {
            return rollBack(state, failed.why());
        }
        return !(event instanceof Done)
                ? state
                : switch (state.step()) {
                    case SPAWN_TARGET -> state.at(state.cold() ? Step.PREPARE_TARGET : Step.PREPARE_SOURCE);
                    case PREPARE_SOURCE -> state.at(Step.PREPARE_TARGET);
                    case PREPARE_TARGET -> state.at(state.cold() ? Step.REHEARSE : Step.NEGOTIATE);
                    case NEGOTIATE -> state.at(Step.PULL);
                    case REHEARSE -> state.at(Step.RECORD_PREPARED);
                    default -> state.at(Step.PULL_LAST);
                };
    }

    private MorphState pulled(MorphState state, Event event) {
        if (event instanceof Failed failed) {
            return rollBack(state, failed.why());
        }
        if (!(event instanceof RoundOver over)) {
            return state;
        }
        MorphState next = state.pulled(over.bytes());
        boolean worth = over.bytes() > smallRound
                && over.bytes() < state.lastBytes() * WORTH_ANOTHER
                && next.rounds() < MOST_ROUNDS;
        if (state.step() == Step.PULL_LAST) {
            return next.at(worth ? Step.PULL_LAST : state.direct() ? Step.HAND_OVER : Step.FREEZE);
        }
        if (state.mark() == Mark.PREPARED) {
            return next.at(Step.PREPARED);
        }
        return next.at(worth || next.rounds() < 2 ? Step.PULL : Step.REHEARSE);
    }

    private static MorphState prepared(MorphState state, Event event) {
        if (event instanceof CommitAsked) {
            return commit(state);
        }
        return event instanceof Refresh && !state.cold() ? state.at(Step.PULL) : state;
    }

    private static MorphState commit(MorphState state) {
        return state.committing().at(Step.RECORD_RELEASING);
    }

    private static MorphState frozen(MorphState state, Event event) {
        if (event instanceof Failed failed) {
            return rollBack(state, failed.why());
        }
        return event instanceof Frozen frozen
                ? state.leased(frozen.leaseEndNanos()).at(Step.VALIDATE_FINAL)
                : state;
    }

    private MorphState validated(MorphState state, Event event, long now) {
        if (event instanceof Failed failed) {
            return rollBack(state, failed.why());
        }
        if (!(event instanceof Done)) {
            return state;
        }
        return state.leaseEndNanos() - now < marginNanos
                ? rollBack(state, "too little of the lease was left for a release")
                : state.at(Step.RELEASE);
    }

    private static MorphState released(MorphState state, Event event) {
        if (event instanceof SourceIs source) {
            return decided(state, source.state());
        }
        if (!(event instanceof Failed failed)) {
            return state;
        }
        // to end its workload it may be told again; until that has ended it could not say where it stands
        boolean again = state.step() == Step.RETIRE && failed.lost() && state.attempts() + 1 < MOST_ATTEMPTS;
        return state.at(again ? Step.RETIRE : Step.ASK_SOURCE);
    }

    private static MorphState handedOver(MorphState state, Event event) {
        if (event instanceof HandingOver sent) {
            return state.leased(sent.leaseEndNanos());
        }
        if (event instanceof Failed failed && !failed.lost()) {
            // it has said so itself: it has released nothing, and is told to run on
            return rollBack(state, failed.why());
        }
        return released(state, event);
    }

    private static MorphState asked(MorphState state, Event event) {
        if (event instanceof SourceIs source) {
            return decided(state, source.state());
        }
        return event instanceof Failed ? state.at(Step.FENCE_SOURCE) : state;
    }

    /** Where RELEASE may have been sent, the source's answer decides. */
    private static MorphState decided(MorphState state, SourceState source) {
        return switch (source) {
            case RELEASED -> state.at(Step.RECORD_RELEASED);
            case FROZEN, RESUMED, RUNNING -> rollBack(state, "the old kernel's workload was resumed");
            case UNKNOWN -> state.at(Step.FENCE_SOURCE);
        };
    }

    private MorphState sourceFenced(MorphState state, Event event) {
        if (event instanceof Failed failed) {
            return state.becoming(Outcome.FAILED, "whether the old kernel still runs is not known: " + failed.why())
                    .at(Step.ROLL_BACK_TARGET);
        }
        if (!(event instanceof SourceFenced fenced)) {
            return state;
        }
        if (state.cold()) {
            return state.at(Step.RECORD_RELEASED);
        }
        if (state.leaseEndNanos() != 0 && fenced.nanos() < state.leaseEndNanos() - marginNanos) {
            return state.at(state.direct() ? Step.CHECK_TARGET : Step.RECORD_RELEASED);
        }
        return lost(
                state,
                "the old kernel was fenced, and may have run on after its lease: what was moved is stale; this is for healing");
    }

    private static MorphState targetChecked(MorphState state, Event event) {
        if (event instanceof TargetIs target && target.validated()) {
            return state.at(Step.RECORD_RELEASED);
        }
        return event instanceof TargetIs || event instanceof Failed
                ? lost(
                        state,
                        "the old kernel died before the new one had all of its workload's state; this is for healing")
                : state;
    }

    private static MorphState lost(MorphState state, String why) {
        return state.becoming(Outcome.FAILED, why).at(Step.ROLL_BACK_TARGET);
    }

    /** The host has seen it end: nothing needs to be asked of it any more. */
    private static MorphState sourceEnded(MorphState state, String how) {
        if (state.revocable()) {
            return rollBack(state, "the old kernel's workload has ended: " + how);
        }
        return switch (state.step()) {
            case HAND_OVER, RELEASE, ASK_SOURCE -> state.at(Step.FENCE_SOURCE);
            case READY_SOURCE, TAKE_BACK -> WayBack.sourceEnded(state, how);
            default -> state;
        };
    }

    private static MorphState recorded(MorphState state, Event event) {
        if (event instanceof Failed failed) {
            return notRecorded(state, failed.why());
        }
        return !(event instanceof Done)
                ? state
                : switch (state.step()) {
                    case RECORD_PREPARED -> prepared(state.marked(Mark.PREPARED));
                    case RECORD_RELEASING ->
                        state.marked(Mark.RELEASING).at(state.cold() ? Step.RETIRE : Step.REHEARSE_LAST);
                    case RECORD_RELEASED -> state.marked(Mark.RELEASED).at(Step.ACTIVATE);
                    case RECORD_LOST -> state.marked(Mark.LOST).at(Step.TAKE_NAME);
                    case RECORD_COMMITTED ->
                        state.marked(Mark.COMMITTED)
                                .becoming(Outcome.COMMITTED, state.why())
                                .at(Step.TAKE_NAME);
                    case RECORD_RETURNING -> state.marked(Mark.RETURNING).at(Step.GIVE_BACK);
                    case RECORD_RETURNED ->
                        state.marked(Mark.RETURNED)
                                .becoming(Outcome.ROLLED_BACK, state.why())
                                .at(Step.TAKE_BACK);
                    default -> state.at(Step.OVER);
                };
    }

    private static MorphState prepared(MorphState state) {
        return state.autoCommit() ? commit(state) : state.at(Step.PREPARED);
    }

    /** Before the release this is a reason to undo all; after it, to try again, and so when all is over: nothing is left open. */
    private static MorphState notRecorded(MorphState state, String why) {
        return switch (state.step()) {
            case RECORD_PREPARED, RECORD_RELEASING -> rollBack(state, why);
            default -> state.at(state.step());
        };
    }

    /**
     * The source has released and was not told to take anything back: though it may be HELD, nothing of the workload runs there. So
     * what has the name is left to healing all the same.
     */
    private static MorphState sourceRemoved(MorphState state) {
        return state.at(state.outcome() == Outcome.FAILED ? Step.FENCE_LOST : Step.RECORD_OVER);
    }

    private static MorphState named(MorphState state, Event event) {
        if (state.outcome() == Outcome.FAILED) {
            return isTaken(event) ? state.at(Step.REMOVE_SOURCE) : state;
        }
        if (event instanceof Done) {
            return state.at(Step.PROVISIONAL);
        }
        return event instanceof Failed failed
                ? state.becoming(
                                Outcome.COMMITTED,
                                "the new kernel runs the workload under its own name: " + failed.why())
                        .at(Step.PROVISIONAL)
                : state;
    }

    private static MorphState rollbackAsked(MorphState state, String why) {
        if (state.revocable()) {
            return rollBack(state, why);
        }
        return state.step() == Step.PROVISIONAL ? WayBack.asked(state, why) : state;
    }

    /** From here on the source may run on at any time, and its death proves nothing any more. */
    private static MorphState rollBack(MorphState state, String why) {
        return state.leased(0)
                .becoming(Outcome.ROLLED_BACK, why)
                .at(state.cold() ? Step.ROLL_BACK_TARGET : Step.ROLL_BACK_SOURCE);
    }

    /** A source that says that it has released has the last word, whoever asked for what. */
    private static MorphState sourceRolledBack(MorphState state, Event event) {
        if (event instanceof SourceIs source && source.state() == SourceState.RELEASED) {
            return state.becoming(Outcome.NONE, "").at(Step.RECORD_RELEASED);
        }
        if (event instanceof Failed failed && failed.lost()) {
            if (state.attempts() + 1 < MOST_ATTEMPTS) {
                return state.at(Step.ROLL_BACK_SOURCE);
            }
            if (state.releaseSent()) {
                // it may be on its way to it still
                return state.at(Step.FENCE_SOURCE);
            }
        }
        if (event instanceof SourceIs || event instanceof Failed || event instanceof Done) {
            // one that cannot be reached and was never told to release resumes by itself when its lease ends
            return state.at(Step.ROLL_BACK_TARGET);
        }
        return state;
    }

    private static MorphState targetEnded(MorphState state, String how) {
        if (state.revocable()) {
            return rollBack(state, "the new kernel has ended: " + how);
        }
        return WayBack.mayStillAsk(state.step()) ? WayBack.targetEnded(state, how) : Taking.targetEnded(state);
    }
}
