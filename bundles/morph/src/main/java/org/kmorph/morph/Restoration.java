// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.Compression;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphNegotiate;
import org.kmorph.kmp.message.MorphPrepare;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmp.message.NegotiateStage;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.kmp.wire.Limits;

/** Has another new kernel run a workload that nobody runs. Blocks. */
final class Restoration {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final UUID operation;
    private final Asking target;
    private final Duration validation;

    Restoration(UUID operation, Asking target, Duration validation) {
        this.operation = operation;
        this.target = target;
        this.validation = validation;
    }

    /** Of a cold morph: there is no state. */
    void anew() throws IOException, InterruptedException {
        prepare(MorphPrepare.COLD);
        validate(ValidateScope.REHEARSAL, validation);
        activate();
    }

    /** Gives it the state, in one final round. */
    void from(Keeper keeper) throws IOException, InterruptedException {
        prepare(0);
        OperationAnswer offered =
                target.ask(negotiate(NegotiateStage.OFFER, 0, keeper.describe()), OperationAnswer.class, PATIENCE);
        if (offered.verdict() != Verdict.YES) {
            throw new IOException(Agreement.refusal(offered).orElse("it was refused"));
        }
        target.ask(
                negotiate(NegotiateStage.AGREE, keeper.digest(offered.items()).code(), Agreement.kinds(offered)),
                OperationAnswer.class,
                PATIENCE);
        keeper.give(target);
        validate(ValidateScope.REHEARSAL, validation);
        validate(ValidateScope.FINAL, PATIENCE);
        activate();
    }

    private void prepare(int flags) throws IOException, InterruptedException {
        target.ask(
                new MorphPrepare(operation, Role.TARGET, flags, 60_000, Limits.NO_INSTANCE, List.of()),
                OperationAnswer.class,
                PATIENCE);
    }

    private void activate() throws IOException, InterruptedException {
        CommitAnswer active = target.ask(
                new MorphCommit(operation, CommitPhase.ACTIVATE, 0, List.of()), CommitAnswer.class, PATIENCE);
        if (active.state() != OperationState.ACTIVE) {
            throw new IOException("it is " + active.state() + " after ACTIVATE");
        }
    }

    private void validate(ValidateScope scope, Duration patience) throws IOException, InterruptedException {
        Agreement.require(
                target.ask(new MorphValidate(operation, scope, List.of()), OperationAnswer.class, patience),
                "it does not validate what was kept");
    }

    private MorphNegotiate negotiate(NegotiateStage stage, int digest, List<Item> items) {
        return new MorphNegotiate(operation, stage, Compression.NONE, digest, items);
    }
}
