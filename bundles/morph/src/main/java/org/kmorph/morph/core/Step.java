// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

import org.kmorph.api.morph.MorphPhase;

/** What is done next, or waited for. Every step may be taken again: after a crash, or when its answer was lost. */
public enum Step {
    SPAWN_TARGET(MorphPhase.MORPH_PREPARING),
    PREPARE_SOURCE(MorphPhase.MORPH_PREPARING),
    PREPARE_TARGET(MorphPhase.MORPH_PREPARING),
    /** The source describes, the target judges, both agree. */
    NEGOTIATE(MorphPhase.MORPH_NEGOTIATING),
    PULL(MorphPhase.MORPH_TRANSFERRING),
    REHEARSE(MorphPhase.MORPH_VALIDATING),
    RECORD_PREPARED(MorphPhase.MORPH_VALIDATING),
    /** A step of waiting: for a commit, a rollback, or the time to refresh. */
    PREPARED(MorphPhase.MORPH_TRANSFERRING),
    RECORD_RELEASING(MorphPhase.COMMITTING),
    /** The rehearsal right before the freeze: from it on the target keeps packets. */
    REHEARSE_LAST(MorphPhase.COMMITTING),
    /** What was written since the last round, once more before the freeze. */
    PULL_LAST(MorphPhase.COMMITTING),
    /** Quiesce, and the final round. */
    FREEZE(MorphPhase.COMMITTING),
    VALIDATE_FINAL(MorphPhase.COMMITTING),
    /** The point of no return. */
    RELEASE(MorphPhase.COMMITTING),
    /**
     * Where state goes from agent to agent: quiesce, the final round, its validation and the release are one step that the source takes,
     * and the point of no return is in it.
     */
    HAND_OVER(MorphPhase.COMMITTING),
    /** The source of a cold morph ends its workload in an orderly way. */
    RETIRE(MorphPhase.COMMITTING),
    /** Where the source stands is not known: it is asked. */
    ASK_SOURCE(MorphPhase.COMMITTING),
    FENCE_SOURCE(MorphPhase.COMMITTING),
    /** The source died frozen in the middle of handing over: whether the target had all of it, the target knows. */
    CHECK_TARGET(MorphPhase.COMMITTING),
    RECORD_RELEASED(MorphPhase.COMMITTING),
    ACTIVATE(MorphPhase.COMMITTING),
    ASK_TARGET(MorphPhase.COMMITTING),
    FENCE_TARGET(MorphPhase.COMMITTING),
    /** A successor of the target gets the state, from the source that keeps it or from what was kept of it here, and is activated. */
    RESTORE(MorphPhase.COMMITTING),
    /** No successor could take it: what there is of one is fenced, so that the source may. */
    FENCE_SUCCESSOR(MorphPhase.COMMITTING),
    /** It cannot be fenced for certain. */
    RECORD_LOST(MorphPhase.COMMITTING),
    /** The source has the name, and neither it nor anybody else goes on: it is fenced, for healing to begin where it ends. */
    FENCE_SPENT(MorphPhase.COMMITTING),
    RECORD_COMMITTED(MorphPhase.COMMITTING),
    TAKE_NAME(MorphPhase.COMMITTING),
    /** A step of waiting: the former kernel is kept for a while. */
    PROVISIONAL(MorphPhase.RUNNING),
    /** The new kernel's workload has not begun and does not: the old one makes itself ready to go on from what it kept. */
    READY_SOURCE(MorphPhase.ROLLING_BACK),
    /** It cannot. Whether the new one's has begun meanwhile, or has ended, decides what becomes of it. */
    ASK_WORKLOAD(MorphPhase.ROLLING_BACK),
    RECORD_RETURNING(MorphPhase.ROLLING_BACK),
    /** The target makes itself unable to run the workload; one that has begun after all goes on. */
    GIVE_BACK(MorphPhase.ROLLING_BACK),
    RECORD_RETURNED(MorphPhase.ROLLING_BACK),
    /** The old kernel runs the workload again, from the state of the freeze. */
    TAKE_BACK(MorphPhase.ROLLING_BACK),
    /** What kept others from answering at the target's ports is not needed any more. */
    CLOSE_TARGET(MorphPhase.ROLLING_BACK),
    TAKE_NAME_BACK(MorphPhase.ROLLING_BACK),
    REMOVE_SOURCE(MorphPhase.RUNNING),
    /** The target has the name, and nobody goes on with the workload: it is fenced, for healing to begin there. */
    FENCE_LOST(MorphPhase.ROLLING_BACK),
    ROLL_BACK_SOURCE(MorphPhase.ROLLING_BACK),
    ROLL_BACK_TARGET(MorphPhase.ROLLING_BACK),
    REMOVE_TARGET(MorphPhase.ROLLING_BACK),
    RECORD_OVER(MorphPhase.RUNNING),
    /** Nothing more is done. */
    OVER(MorphPhase.RUNNING);

    private final MorphPhase phase;

    Step(MorphPhase phase) {
        this.phase = phase;
    }

    /** Where a person sees the morph at this step. */
    public MorphPhase phase() {
        return phase;
    }
}
