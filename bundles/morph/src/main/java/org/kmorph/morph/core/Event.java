// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

/** What happened. */
public sealed interface Event {
    /**
     * A person asks for a morph.
     *
     * @param cold whether no state moves
     * @param direct whether state can go from agent to agent
     * @param autoCommit whether it goes on once it is prepared
     */
    record Begin(boolean cold, boolean direct, boolean autoCommit) implements Event {}

    /** The present step is done. */
    record Done() implements Event {}

    /** A round is over. @param bytes how much it was */
    record RoundOver(long bytes) implements Event {}

    /** The workload stands still and the final round is over. @param leaseEndNanos before this moment it does not resume, by our clock */
    record Frozen(long leaseEndNanos) implements Event {}

    /** HAND_OVER is sent. @param leaseEndNanos as above */
    record HandingOver(long leaseEndNanos) implements Event {}

    /** The present step was refused, or failed. @param lost whether the peer was not to be reached, so that it may have been done */
    record Failed(String why, boolean lost) implements Event {}

    /** The source's answer to RELEASE, RETIRE, rollback or a question. */
    record SourceIs(SourceState state) implements Event {}

    /** The target's answer to a question. @param active whether it runs the workload @param validated whether it could */
    record TargetIs(boolean active, boolean validated) implements Event {}

    /**
     * What the target of a committed morph says of its workload.
     *
     * @param begun whether it may have told anybody anything
     * @param ended whether it runs no more
     * @param trouble what is wrong with it; empty for nothing
     */
    record WorkloadIs(boolean begun, boolean ended, String trouble) implements Event {}

    /** The target has made itself unable ever to run the workload, which had not begun. */
    record GivenBack() implements Event {}

    /** The source provably runs no more. @param nanos since when, by our clock, or later */
    record SourceFenced(long nanos) implements Event {}

    /** Another kernel is the target now. */
    record Restored() implements Event {}

    record CommitAsked() implements Event {}

    record RollbackAsked(String why) implements Event {}

    /** A prepared morph is to be kept fresh. */
    record Refresh() implements Event {}

    /** The former kernel has been kept long enough. */
    record WindowOver() implements Event {}

    /** The host has seen a kernel end. */
    record SourceEnded(String how) implements Event {}

    record TargetEnded(String how) implements Event {}

    /** A new daemon finds the morph in the journal. */
    record Restarted(Mark mark, boolean cold, boolean direct) implements Event {}
}
