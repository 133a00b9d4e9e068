// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.StateKindOffer;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.MorphNegotiate;
import org.kmorph.kmp.message.MorphPrepare;
import org.kmorph.kmp.message.MorphRollback;
import org.kmorph.kmp.message.MorphTransfer;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmp.message.NegotiateStage;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.OperationMessage;
import org.kmorph.kmp.message.TransferPull;
import org.kmorph.kmp.message.WorkloadState;

/**
 * A kernel's agent in a morph, as the source of one or as its target, by docs/kmp.md: what it says of where it stands outlives
 * connections, and ends with it. State goes from agent to agent.
 */
final class MorphAgent {
    private static final int RETIRED_AFTER_MILLIS = 20;

    private final World world;
    private final Kernel kernel;
    private final Standing at;
    private final SourceSide source;
    private final TargetSide target;
    private Optional<UUID> retired = Optional.empty();
    private long heardNanos;

    /** How an answer is given, now or later, if anybody still listens. */
    interface Reply {
        void say(Message answer);

        void refuse(int code, long value, String text);

        /** Asks whoever has asked, on the same connection. */
        void ask(Message request, Consumer<Message> answered);
    }

    MorphAgent(World world, Kernel kernel) {
        this.world = world;
        this.kernel = kernel;
        at = new Standing(world, kernel);
        source = new SourceSide(world, kernel, at);
        target = new TargetSide(world, kernel, at, this::heard);
    }

    /** When a workload that is frozen now must run on, if it is not released. */
    long leaseEndNanos() {
        return source.leaseEndNanos();
    }

    TargetSide target() {
        return target;
    }

    /** Another agent takes its place on the same kernel. */
    void restart() {
        if (kernel.work.state == WorkloadState.FROZEN) {
            world.judge().ownership().resumes(kernel);
        }
        target.restart();
        source.restart();
        at.finished.clear();
        at.operation = Optional.empty();
        retired = Optional.empty();
        at.state = OperationState.UNKNOWN;
    }

    /** Whatever it is that is under way with that instance, it is dead. */
    void peerFailed(long instance) {
        if (at.busy() && at.role == Role.SOURCE && at.peer == instance) {
            rollBack();
        }
    }

    void answer(OperationMessage request, Reply reply) {
        if (request instanceof MorphPrepare prepare) {
            prepare(prepare, reply);
        } else if (request instanceof MorphCommit retire && retire.phase() == CommitPhase.RETIRE) {
            retire(retire, reply);
        } else if (!at.is(request.operation())) {
            other(request, reply);
        } else {
            heard();
            present(request, reply);
        }
    }

    private void present(OperationMessage request, Reply reply) {
        if (request instanceof MorphNegotiate negotiate) {
            negotiate(negotiate, reply);
        } else if (request instanceof TransferPull pull) {
            source.pull(pull, reply);
        } else if (request instanceof MorphTransfer transfer) {
            target.transfer(transfer, reply);
        } else if (request instanceof MorphValidate validate) {
            target.validate(validate, reply);
        } else if (request instanceof MorphCommit commit) {
            commit(commit, reply);
        } else if (request instanceof MorphRollback) {
            if (!at.over()) {
                rollBack();
            }
            reply.say(at.answer(MessageType.MORPH_ROLLBACK_ANSWER, Verdict.NONE));
        } else {
            reply.refuse(ErrorCode.NOT_SUPPORTED, 0, "not in a simulation");
        }
    }

    /** An operation that is not the present one. */
    private void other(OperationMessage request, Reply reply) {
        UUID which = request.operation();
        if (request instanceof MorphRollback) {
            at.finished.putIfAbsent(which, OperationState.ROLLED_BACK);
            reply.say(new OperationAnswer(
                    MessageType.MORPH_ROLLBACK_ANSWER, which, at.finished.get(which), Verdict.NONE, List.of()));
        } else if (request instanceof MorphCommit commit
                && (commit.phase() == CommitPhase.QUERY || at.finished.containsKey(which))) {
            OperationState known = retired.filter(which::equals).isPresent()
                    ? OperationState.RELEASED
                    : at.finished.getOrDefault(which, OperationState.UNKNOWN);
            reply.say(at.commitAnswer(which, known));
        } else {
            reply.refuse(ErrorCode.UNKNOWN_OPERATION, 0, "");
        }
    }

    private void prepare(MorphPrepare message, Reply reply) {
        UUID which = message.operation();
        boolean again = at.is(which);
        if (at.finished.containsKey(which) || again && at.busy()) {
            OperationState known = again ? at.state : at.finished.get(which);
            reply.say(new OperationAnswer(MessageType.MORPH_PREPARE_ANSWER, which, known, Verdict.NONE, List.of()));
        } else if (at.busy() || at.beginning) {
            reply.refuse(ErrorCode.BUSY, 0, "another morph is under way");
        } else if ((message.flags() & MorphPrepare.KEPT) != 0) {
            prepareKept(message, reply);
        } else if (kernel.work.state != (message.role() == Role.SOURCE ? WorkloadState.RUNNING : WorkloadState.HELD)) {
            reply.refuse(ErrorCode.NO_WORKLOAD, 0, "its workload is " + kernel.work.state);
        } else {
            at.operation = Optional.of(which);
            at.role = message.role();
            at.cold = (message.flags() & MorphPrepare.COLD) != 0;
            at.peer = message.peerInstance();
            source.prepared();
            target.forget();
            heard();
            expire(which, message.expiresMillis() * 1_000_000);
            at.become(OperationState.PREPARED);
            reply.say(at.answer(MessageType.MORPH_PREPARE_ANSWER, Verdict.NONE));
        }
    }

    /** What was released comes back, to the state that was kept. */
    private void prepareKept(MorphPrepare message, Reply reply) {
        if (at.role != Role.SOURCE
                || at.state != OperationState.RELEASED
                || source.kept().isEmpty()) {
            reply.refuse(ErrorCode.EXPIRED, 0, "nothing is kept here");
            return;
        }
        at.operation = Optional.of(message.operation());
        at.role = Role.TARGET;
        at.cold = false;
        target.has(source.kept());
        kernel.work.state = WorkloadState.HELD;
        heard();
        expire(message.operation(), message.expiresMillis() * 1_000_000);
        at.become(OperationState.TRANSFERRING);
        reply.say(at.answer(MessageType.MORPH_PREPARE_ANSWER, Verdict.NONE));
    }

    private void heard() {
        heardNanos = world.scheduler().now();
    }

    /** A morph of which nothing is heard for that long is dropped. */
    private void expire(UUID which, long nanos) {
        long left = heardNanos + nanos - world.scheduler().now();
        world.scheduler().after(left, kernel.life, () -> {
            if (!at.is(which) || at.over()) {
                return;
            }
            if (world.scheduler().now() - heardNanos >= nanos && at.state != OperationState.FROZEN) {
                rollBack();
            } else {
                expire(which, nanos + 1_000_000);
            }
        });
    }

    private void rollBack() {
        source.forget();
        target.forget();
        boolean frozen = kernel.work.state == WorkloadState.FROZEN;
        if (frozen) {
            world.judge().ownership().resumes(kernel);
        }
        at.become(frozen ? OperationState.RESUMED : OperationState.ROLLED_BACK);
    }

    private void retire(MorphCommit message, Reply reply) {
        if (at.busy()) {
            reply.refuse(ErrorCode.BUSY, 0, "a morph is under way");
            return;
        }
        UUID which = message.operation();
        world.judge().retiring(kernel, which);
        world.scheduler().after(RETIRED_AFTER_MILLIS * 1_000_000L, kernel.life, () -> {
            kernel.work.state = WorkloadState.STOPPED;
            retired = Optional.of(which);
            reply.say(at.commitAnswer(which, OperationState.RELEASED));
        });
    }

    private void negotiate(MorphNegotiate message, Reply reply) {
        if (message.stage() == NegotiateStage.OFFER && world.troubles().targetRefuses()) {
            reply.say(at.answer(MessageType.MORPH_NEGOTIATE_ANSWER, Verdict.NO));
            return;
        }
        if (message.stage() == NegotiateStage.AGREE && !at.over()) {
            at.become(OperationState.NEGOTIATED);
        }
        Verdict verdict = message.stage() == NegotiateStage.OFFER ? Verdict.YES : Verdict.NONE;
        List<Item> items =
                switch (message.stage()) {
                    case DESCRIBE -> world.relays() ? SourceFlow.described() : List.of();
                    case OFFER -> List.copyOf(Items.all(message.items(), StateKindOffer.class));
                    case AGREE -> List.of();
                };
        reply.say(new OperationAnswer(
                MessageType.MORPH_NEGOTIATE_ANSWER, at.operation.orElseThrow(), at.state, verdict, items));
    }

    private void commit(MorphCommit message, Reply reply) {
        UUID which = message.operation();
        switch (message.phase()) {
            case QUERY -> reply.say(at.commitAnswer(which, at.state));
            case QUIESCE -> source.quiesce(message, reply);
            case RELEASE -> source.release(reply);
            case HAND_OVER -> source.handOver(message, reply);
            case ACTIVATE -> target.activate(reply);
            case GIVE_BACK -> target.giveBack(reply);
            default -> reply.refuse(ErrorCode.NOT_SUPPORTED, 0, "not in a simulation");
        }
    }
}
