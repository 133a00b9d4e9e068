// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmpclient.KmpException;
import org.kmorph.morph.core.Event;
import org.kmorph.morph.core.SourceState;

/** What an agent's answer means to the core, or that none came. */
final class Answers {
    private Answers() {}

    /** The client is going, and its successor not there yet: what is tried again at once would fail again. */
    static boolean isReplaced(Throwable failure) {
        return cause(failure) instanceof KmpException kmp && kmp.reason() == KmpException.Reason.CLOSED;
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /** An agent that does not know the operation was started again since, and cannot say what came of it: its answer is as good as none. */
    static Event failed(Throwable failure) {
        Throwable cause = cause(failure);
        boolean answered = cause instanceof KmpException kmp
                && kmp.reason() == KmpException.Reason.REFUSED
                && kmp.errorCode() != ErrorCode.UNKNOWN_OPERATION;
        String why = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        if (cause instanceof KmpException kmp && kmp.errorCode() == ErrorCode.NO_WORKLOAD) {
            why += "; --restart ends it here and begins it anew there";
        }
        return new Event.Failed(why, !answered);
    }

    static Event givenBack(CommitAnswer answer) {
        return answer.state() == OperationState.ROLLED_BACK ? new Event.GivenBack() : Watch.found(answer);
    }

    static Event verdict(Optional<String> refusal) {
        return refusal.<Event>map(why -> new Event.Failed(why, false)).orElseGet(Event.Done::new);
    }

    static Event standing(CommitAnswer answer) {
        return new Event.TargetIs(answer.state() == OperationState.ACTIVE, answer.state() == OperationState.VALIDATED);
    }

    static SourceState sourceState(OperationState state) {
        return switch (state) {
            case UNKNOWN -> SourceState.UNKNOWN;
            case FROZEN -> SourceState.FROZEN;
            case RELEASED -> SourceState.RELEASED;
            case RESUMED, ROLLED_BACK -> SourceState.RESUMED;
            default -> SourceState.RUNNING;
        };
    }
}
