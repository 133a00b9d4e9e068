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

/** Gives the state of a workload that nobody runs to another new kernel, in one final round, and has that run it. Blocks. */
final class Restoration {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int CHUNK = 512 << 10;
    private static final int PAGE = 4096;

    private final UUID operation;
    private final Asking target;
    private final Keeper keeper;
    private final Duration validation;

    Restoration(UUID operation, Asking target, Keeper keeper, Duration validation) {
        this.operation = operation;
        this.target = target;
        this.keeper = keeper;
        this.validation = validation;
    }

    void run() throws IOException, InterruptedException {
        target.ask(
                new MorphPrepare(operation, Role.TARGET, 0, 60_000, Limits.NO_INSTANCE, List.of()),
                OperationAnswer.class,
                PATIENCE);
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
