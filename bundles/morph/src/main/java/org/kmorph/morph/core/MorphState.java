// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph.core;

import java.util.EnumSet;
import java.util.Set;

/**
 * A morph at one moment. Immutable.
 *
 * @param step what is done or waited for
 * @param mark what the journal says
 * @param cold whether no state moves
 * @param direct whether state goes from the source's agent to the target's, without a copy here
 * @param autoCommit whether it goes on by itself once prepared
 * @param rounds how often state was pulled
 * @param lastBytes of the last round
 * @param leaseEndNanos before this moment the source does not resume, by our clock; 0 while it is not frozen
 * @param releaseSent whether RELEASE may have been sent
 * @param attempts of the present step, where it is tried again
 * @param outcome what it came to, or is coming to
 * @param why what led there, for people
 */
public record MorphState(
        Step step,
        Mark mark,
        boolean cold,
        boolean direct,
        boolean autoCommit,
        int rounds,
        long lastBytes,
        long leaseEndNanos,
        boolean releaseSent,
        int attempts,
        Outcome outcome,
        String why) {
    /** Before anything. */
    public static final MorphState NEW =
            new MorphState(Step.OVER, Mark.BEGUN, false, false, false, 0, 0, 0, false, 0, Outcome.NONE, "");

    MorphState at(Step next) {
        int tried = next == step ? attempts + 1 : 0;
        boolean sent = releaseSent || ASKS_FOR_RELEASE.contains(next);
        return new MorphState(
                next, mark, cold, direct, autoCommit, rounds, lastBytes, leaseEndNanos, sent, tried, outcome, why);
    }

    MorphState marked(Mark written) {
        return new MorphState(
                step,
                written,
                cold,
                direct,
                autoCommit,
                rounds,
                lastBytes,
                leaseEndNanos,
                releaseSent,
                attempts,
                outcome,
                why);
    }

    MorphState becoming(Outcome other, String reason) {
        return new MorphState(
                step,
                mark,
                cold,
                direct,
                autoCommit,
                rounds,
                lastBytes,
                leaseEndNanos,
                releaseSent,
                attempts,
                other,
                reason);
    }

    MorphState pulled(long bytes) {
        return rounds(rounds + 1, bytes, autoCommit);
    }

    MorphState committing() {
        return rounds(0, lastBytes, true);
    }

    private MorphState rounds(int number, long bytes, boolean goesOn) {
        return new MorphState(
                step, mark, cold, direct, goesOn, number, bytes, leaseEndNanos, releaseSent, attempts, outcome, why);
    }

    MorphState leased(long endNanos) {
        return new MorphState(
                step, mark, cold, direct, autoCommit, rounds, lastBytes, endNanos, releaseSent, attempts, outcome, why);
    }

    MorphState begun(boolean isCold, boolean isDirect, boolean goesOn) {
        return new MorphState(
                step,
                mark,
                isCold,
                isDirect,
                goesOn,
                rounds,
                lastBytes,
                leaseEndNanos,
                releaseSent,
                attempts,
                outcome,
                why);
    }

    /** Whether it can still be undone: no RELEASE has been sent. */
    public boolean revocable() {
        return switch (step) {
            case SPAWN_TARGET,
                    PREPARE_SOURCE,
                    PREPARE_TARGET,
                    NEGOTIATE,
                    PULL,
                    REHEARSE,
                    RECORD_PREPARED,
                    PREPARED,
                    PULL_LAST,
                    REHEARSE_LAST,
                    RECORD_RELEASING,
                    FREEZE,
                    VALIDATE_FINAL -> true;
            default -> false;
        };
    }

    private static final Set<Step> ASKS_FOR_RELEASE =
            EnumSet.of(Step.RELEASE, Step.HAND_OVER, Step.RETIRE, Step.ASK_SOURCE);
}
