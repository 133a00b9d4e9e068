// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.WorkloadStatus;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphPrepare;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.kmp.wire.Limits;

/** Has an old kernel's agent go on with the workload that it has released, from the state that it kept. Blocks; may be done again. */
final class TakingBack {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);
    private static final long EXPIRES_MILLIS = 60_000;

    private final UUID operation;
    private final Asking source;
    private final Duration validation;

    /** @param operation of its own: in that of the morph the source has released for ever */
    TakingBack(UUID operation, Asking source, Duration validation) {
        this.operation = operation;
        this.source = source;
        this.validation = validation;
    }

    /** Has it start a process that waits for its turn. */
    OperationState ready() throws IOException, InterruptedException {
        MorphPrepare prepare = new MorphPrepare(
                operation, Role.TARGET, MorphPrepare.KEPT, EXPIRES_MILLIS, Limits.NO_INSTANCE, List.of());
        OperationState state =
                source.ask(prepare, OperationAnswer.class, PATIENCE).state();
        if (state == OperationState.ROLLED_BACK) {
            throw new IOException("it has dropped what it kept");
        }
        return state;
    }

    void run() throws IOException, InterruptedException {
        if (ready() != OperationState.ACTIVE) {
            validate(ValidateScope.REHEARSAL, validation);
            validate(ValidateScope.FINAL, PATIENCE);
        }
        MorphCommit activate = new MorphCommit(operation, CommitPhase.ACTIVATE, 0, List.of());
        CommitAnswer active = source.ask(activate, CommitAnswer.class, PATIENCE);
        if (active.state() != OperationState.ACTIVE) {
            throw new IOException("it is " + active.state() + " after ACTIVATE");
        }
        awaitBegin(active);
    }

    /** There is no other kernel that could run it: one that is slow is waited for. */
    private void awaitBegin(CommitAnswer active) throws IOException, InterruptedException {
        MorphCommit query = new MorphCommit(operation, CommitPhase.QUERY, 0, List.of());
        long until = source.time().nanos() + validation.toNanos();
        CommitAnswer answer = active;
        while (!Watch.hasBegun(answer)) {
            boolean ended = Items.first(answer.items(), WorkloadStatus.class)
                    .map(WorkloadStatus::ended)
                    .orElse(false);
            if (ended || source.time().nanos() > until) {
                throw new IOException("its workload " + (ended ? "ended" : "does not begin") + " there too");
            }
            source.time().sleep(BETWEEN_LOOKS);
            answer = source.ask(query, CommitAnswer.class, PATIENCE);
        }
    }

    private void validate(ValidateScope scope, Duration patience) throws IOException, InterruptedException {
        Agreement.require(
                source.ask(new MorphValidate(operation, scope, List.of()), OperationAnswer.class, patience),
                "it does not validate what it kept");
    }
}
