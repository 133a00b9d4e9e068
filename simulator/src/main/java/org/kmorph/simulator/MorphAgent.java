// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Peer;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.StateKindOffer;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.item.WorkloadStatus;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.CommitAnswer;
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
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.kmp.message.WorkloadState;

/**
 * A kernel's agent in a morph, as the source of one or as its target, by docs/kmp.md: what it says of where it stands outlives
 * connections, and ends with it. State goes from agent to agent.
 */
final class MorphAgent {
    private static final int RETIRED_AFTER_MILLIS = 20;
    private static final long PEER_PATIENCE_NANOS = 3_000_000_000L;

    private final World world;
    private final Kernel kernel;
    private final Map<UUID, OperationState> finished = new HashMap<>();
    private final List<Runnable> waitForRelease = new ArrayList<>();
    private final List<Runnable> waitForBegin = new ArrayList<>();
    private Optional<UUID> operation = Optional.empty();
    private Optional<UUID> retired = Optional.empty();
    private Role role = Role.SOURCE;
    private OperationState state = OperationState.UNKNOWN;
    private boolean cold;
    private boolean resting;
    private long peer;
    private long heardNanos;
    private long rounds;
    private long leaseEndNanos;
    private Optional<Kernel> target = Optional.empty();

    /** Where state goes through the daemon's hands. */
    private final SourceFlow flow;

    private final TargetIntake intake = new TargetIntake();

    /** The pull of the final round, which came before the workload stood still. */
    private Optional<Runnable> early = Optional.empty();

    /** Of a target: the stamp of the final state that it has. */
    private Optional<Long> copy = Optional.empty();

    /** Of a source that has released: the stamp of the state that it keeps. */
    private Optional<Long> kept = Optional.empty();

    /** Told to run a workload, which has not begun. */
    private boolean beginning;

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
        flow = new SourceFlow(world, kernel);
    }

    /** When a workload that is frozen now must run on, if it is not released. */
    long leaseEndNanos() {
        return leaseEndNanos;
    }

    private boolean busy() {
        return operation.isPresent() && !over(state);
    }

    private static boolean over(OperationState state) {
        return switch (state) {
            case RELEASED, RESUMED, ACTIVE, ROLLED_BACK -> true;
            default -> false;
        };
    }

    private void become(OperationState next) {
        state = next;
        world.say("agent", () -> kernel + " is " + next + " as " + role);
        if (over(next)) {
            finished.put(operation.orElseThrow(), next);
        }
    }

    /** Another agent takes its place on the same kernel. */
    void restart() {
        if (kernel.work.state == WorkloadState.FROZEN) {
            world.judge().ownership().resumes(kernel);
        }
        if (beginning && kernel.work.state == WorkloadState.STARTING) {
            begin();
        }
        beginning = false;
        kept = Optional.empty();
        waitForBegin.clear();
        finished.clear();
        waitForRelease.clear();
        operation = Optional.empty();
        retired = Optional.empty();
        state = OperationState.UNKNOWN;
        forgetState();
    }

    private void forgetState() {
        copy = Optional.empty();
        early = Optional.empty();
        flow.forget();
        intake.forget();
        resting = false;
    }

    /** Whatever it is that is under way with that instance, it is dead. */
    void peerFailed(long instance) {
        if (busy() && role == Role.SOURCE && peer == instance) {
            rollBack();
        }
    }

    void answer(OperationMessage request, Reply reply) {
        if (request instanceof MorphPrepare prepare) {
            prepare(prepare, reply);
        } else if (request instanceof MorphCommit retire && retire.phase() == CommitPhase.RETIRE) {
            retire(retire, reply);
        } else if (operation.filter(request.operation()::equals).isEmpty()) {
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
            pull(pull, reply);
        } else if (request instanceof MorphTransfer transfer) {
            transfer(transfer, reply);
        } else if (request instanceof MorphValidate validate) {
            validate(validate, reply);
        } else if (request instanceof MorphCommit commit) {
            commit(commit, reply);
        } else if (request instanceof MorphRollback) {
            if (!over(state)) {
                rollBack();
            }
            reply.say(answer(MessageType.MORPH_ROLLBACK_ANSWER, Verdict.NONE));
        } else {
            reply.refuse(ErrorCode.NOT_SUPPORTED, 0, "not in a simulation");
        }
    }

    /** An operation that is not the present one. */
    private void other(OperationMessage request, Reply reply) {
        UUID which = request.operation();
        if (request instanceof MorphRollback) {
            finished.putIfAbsent(which, OperationState.ROLLED_BACK);
            reply.say(new OperationAnswer(
                    MessageType.MORPH_ROLLBACK_ANSWER, which, finished.get(which), Verdict.NONE, List.of()));
        } else if (request instanceof MorphCommit commit
                && (commit.phase() == CommitPhase.QUERY || finished.containsKey(which))) {
            OperationState known = retired.filter(which::equals).isPresent()
                    ? OperationState.RELEASED
                    : finished.getOrDefault(which, OperationState.UNKNOWN);
            reply.say(commitAnswer(which, known));
        } else {
            reply.refuse(ErrorCode.UNKNOWN_OPERATION, 0, "");
        }
    }

    private OperationAnswer answer(MessageType type, Verdict verdict) {
        return new OperationAnswer(type, operation.orElseThrow(), state, verdict, List.of());
    }

    private CommitAnswer commitAnswer(UUID which, OperationState known) {
        int status = kernel.work.state == WorkloadState.FAILED ? 1 : -1;
        List<Item> items = known == OperationState.ACTIVE
                ? List.of(new WorkloadStatus(
                        1, status, 1, beginning, world.scheduler().now()))
                : List.of();
        return new CommitAnswer(which, known, Verdict.NONE, 0, world.scheduler().now(), items);
    }

    private void prepare(MorphPrepare message, Reply reply) {
        UUID which = message.operation();
        boolean again = operation.filter(which::equals).isPresent();
        if (finished.containsKey(which) || again && busy()) {
            OperationState known = again ? state : finished.get(which);
            reply.say(new OperationAnswer(MessageType.MORPH_PREPARE_ANSWER, which, known, Verdict.NONE, List.of()));
        } else if (busy() || beginning) {
            reply.refuse(ErrorCode.BUSY, 0, "another morph is under way");
        } else if ((message.flags() & MorphPrepare.KEPT) != 0) {
            prepareKept(message, reply);
        } else if (kernel.work.state != (message.role() == Role.SOURCE ? WorkloadState.RUNNING : WorkloadState.HELD)) {
            reply.refuse(ErrorCode.NO_WORKLOAD, 0, "its workload is " + kernel.work.state);
        } else {
            operation = Optional.of(which);
            role = message.role();
            cold = (message.flags() & MorphPrepare.COLD) != 0;
            peer = message.peerInstance();
            rounds = 0;
            forgetState();
            waitForRelease.clear();
            heard();
            expire(which, message.expiresMillis() * 1_000_000);
            become(OperationState.PREPARED);
            reply.say(answer(MessageType.MORPH_PREPARE_ANSWER, Verdict.NONE));
        }
    }

    /** What was released comes back, to the state that was kept. */
    private void prepareKept(MorphPrepare message, Reply reply) {
        if (role != Role.SOURCE || state != OperationState.RELEASED || kept.isEmpty()) {
            reply.refuse(ErrorCode.EXPIRED, 0, "nothing is kept here");
            return;
        }
        operation = Optional.of(message.operation());
        role = Role.TARGET;
        cold = false;
        copy = kept;
        kernel.work.state = WorkloadState.HELD;
        heard();
        expire(message.operation(), message.expiresMillis() * 1_000_000);
        become(OperationState.TRANSFERRING);
        reply.say(answer(MessageType.MORPH_PREPARE_ANSWER, Verdict.NONE));
    }

    private void heard() {
        heardNanos = world.scheduler().now();
    }

    /** A morph of which nothing is heard for that long is dropped. */
    private void expire(UUID which, long nanos) {
        long left = heardNanos + nanos - world.scheduler().now();
        world.scheduler().after(left, kernel.life, () -> {
            if (operation.filter(which::equals).isEmpty() || over(state)) {
                return;
            }
            if (world.scheduler().now() - heardNanos >= nanos && state != OperationState.FROZEN) {
                rollBack();
            } else {
                expire(which, nanos + 1_000_000);
            }
        });
    }

    private void rollBack() {
        waitForRelease.clear();
        forgetState();
        boolean frozen = kernel.work.state == WorkloadState.FROZEN;
        if (frozen) {
            world.judge().ownership().resumes(kernel);
        }
        become(frozen ? OperationState.RESUMED : OperationState.ROLLED_BACK);
    }

    private void retire(MorphCommit message, Reply reply) {
        if (busy()) {
            reply.refuse(ErrorCode.BUSY, 0, "a morph is under way");
            return;
        }
        UUID which = message.operation();
        world.judge().retiring(kernel, which);
        world.scheduler().after(RETIRED_AFTER_MILLIS * 1_000_000L, kernel.life, () -> {
            kernel.work.state = WorkloadState.STOPPED;
            retired = Optional.of(which);
            reply.say(commitAnswer(which, OperationState.RELEASED));
        });
    }

    private void negotiate(MorphNegotiate message, Reply reply) {
        if (message.stage() == NegotiateStage.OFFER && world.troubles().targetRefuses()) {
            reply.say(answer(MessageType.MORPH_NEGOTIATE_ANSWER, Verdict.NO));
            return;
        }
        if (message.stage() == NegotiateStage.AGREE && !over(state)) {
            become(OperationState.NEGOTIATED);
        }
        Verdict verdict = message.stage() == NegotiateStage.OFFER ? Verdict.YES : Verdict.NONE;
        List<Item> items =
                switch (message.stage()) {
                    case DESCRIBE -> world.relays() ? SourceFlow.described() : List.of();
                    case OFFER -> List.copyOf(Items.all(message.items(), StateKindOffer.class));
                    case AGREE -> List.of();
                };
        reply.say(new OperationAnswer(
                MessageType.MORPH_NEGOTIATE_ANSWER, operation.orElseThrow(), state, verdict, items));
    }

    /** A round to whoever asks for it. */
    private void pullHere(TransferPull message, Reply reply) {
        boolean allowed = message.finalRound()
                ? state == OperationState.FROZEN
                : state == OperationState.NEGOTIATED || state == OperationState.TRANSFERRING;
        if (role == Role.SOURCE && message.finalRound() && resting) {
            early = Optional.of(() -> pullHere(message, reply));
        } else if (role != Role.SOURCE || !allowed) {
            reply.refuse(ErrorCode.WRONG_STATE, flow.rounds(), "it is " + state);
        } else {
            if (state == OperationState.NEGOTIATED) {
                become(OperationState.TRANSFERRING);
            }
            flow.pull(message, state, world.machine().kernel((int) peer), reply);
            rounds = flow.rounds();
        }
    }

    /** Some of the state comes. */
    private void transfer(MorphTransfer message, Reply reply) {
        if (role != Role.TARGET || cold || over(state) || state == OperationState.PREPARED) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + state);
            return;
        }
        if (state != OperationState.VALIDATED && state != OperationState.TRANSFERRING) {
            become(OperationState.TRANSFERRING);
        }
        intake.take(message, state, reply);
    }

    /** A round to the target's agent, which is answered when that has it. */
    private void pull(TransferPull message, Reply reply) {
        if (Items.first(message.items(), Peer.class).isEmpty()) {
            pullHere(message, reply);
            return;
        }
        boolean again = state == OperationState.RELEASED;
        boolean allowed = again && message.finalRound()
                || (state == OperationState.NEGOTIATED || state == OperationState.TRANSFERRING)
                        && !message.finalRound();
        if (role != Role.SOURCE || !allowed) {
            reply.refuse(ErrorCode.WRONG_STATE, rounds, "it is " + state);
            return;
        }
        if (!again && message.round() != rounds && message.round() != rounds + 1) {
            reply.refuse(ErrorCode.WRONG_STATE, rounds, "this round is not the next one");
            return;
        }
        UUID which = message.operation();
        target = Items.first(message.items(), Peer.class)
                .flatMap(at -> world.machine().kernel(Integer.parseInt(at.path())));
        send(
                which,
                again,
                () -> {
                    if (!again && !over(state)) {
                        rounds = Math.max(rounds, message.round());
                        become(OperationState.TRANSFERRING);
                    }
                    long bytes = (4L << 20) >> Math.min(10, rounds);
                    reply.say(new Acknowledgement(
                            MessageType.MORPH_TRANSFER_STATE_ANSWER,
                            which,
                            state,
                            Verdict.NONE,
                            bytes,
                            0,
                            0,
                            List.of()));
                },
                () -> reply.refuse(ErrorCode.IO, 0, "the new kernel's agent cannot be reached"));
    }

    /** Sends state to the target's agent, and hears whether it has it; what is lost on the way is missed after a while. */
    private void send(UUID which, boolean last, Runnable taken, Runnable lost) {
        boolean[] over = new boolean[1];
        Runnable fails = () -> {
            if (!over[0]) {
                over[0] = true;
                lost.run();
            }
        };
        if (target.isEmpty() || world.troubles().transferFails()) {
            world.scheduler().after(1_000_000, kernel.life, fails);
            return;
        }
        Kernel to = target.get();
        long stamp = kernel.work.stamp;
        world.scheduler().after(PEER_PATIENCE_NANOS, kernel.life, fails);
        world.scheduler().after(world.network().nanos(1, 40), to.life, () -> {
            boolean has = to.listens(world.scheduler().now()) && to.morphs.take(which, stamp, last);
            world.scheduler().after(world.network().nanos(0, 5), kernel.life, () -> {
                if (!has) {
                    fails.run();
                } else if (!over[0]) {
                    over[0] = true;
                    taken.run();
                }
            });
        });
    }

    /** As target: a round has come. @return whether it could be taken */
    private boolean take(UUID which, long stamp, boolean last) {
        boolean fits = operation.filter(which::equals).isPresent()
                && role == Role.TARGET
                && !cold
                && !over(state)
                && state != OperationState.PREPARED;
        if (!fits || copy.isPresent() && !last) {
            return false;
        }
        heard();
        copy = last ? Optional.of(stamp) : Optional.empty();
        become(last ? OperationState.VALIDATED : OperationState.TRANSFERRING);
        return true;
    }

    private void validate(MorphValidate message, Reply reply) {
        if (role != Role.TARGET || over(state)) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + state);
            return;
        }
        boolean last = message.scope() == ValidateScope.FINAL;
        if (last && world.relays() && copy.isEmpty()) {
            copy = intake.stamp();
        }
        boolean yes = last ? copy.isPresent() : !world.troubles().targetRefuses();
        if (yes && last && state == OperationState.TRANSFERRING) {
            become(OperationState.VALIDATED);
        }
        world.scheduler()
                .after(
                        world.network().nanos(1, 30),
                        kernel.life,
                        () -> reply.say(answer(MessageType.MORPH_VALIDATE_ANSWER, yes ? Verdict.YES : Verdict.NO)));
    }

    private void commit(MorphCommit message, Reply reply) {
        UUID which = message.operation();
        switch (message.phase()) {
            case QUERY -> reply.say(commitAnswer(which, state));
            case QUIESCE -> quiesce(message, reply);
            case RELEASE -> release(reply);
            case HAND_OVER -> handOver(message, reply);
            case ACTIVATE -> activate(reply);
            case GIVE_BACK -> giveBack(reply);
            default -> reply.refuse(ErrorCode.NOT_SUPPORTED, 0, "not in a simulation");
        }
    }

    private void handOver(MorphCommit message, Reply reply) {
        UUID which = message.operation();
        if (over(state)) {
            reply.say(commitAnswer(which, state));
            return;
        }
        if (role != Role.SOURCE || rounds == 0) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + state);
            return;
        }
        waitForRelease.add(() -> {
            if (state == OperationState.RELEASED) {
                reply.say(commitAnswer(which, state));
            } else {
                reply.refuse(ErrorCode.INTERNAL, 0, "it has not been handed over");
            }
        });
        if (!resting && state != OperationState.FROZEN) {
            resting = true;
            world.scheduler()
                    .after(
                            world.network().nanos(0, 20),
                            kernel.life,
                            () -> freezeAndSend(which, message.timeMicros() * 1_000));
        }
    }

    /** Freezes; the final round is pulled, and the release is asked for. */
    private void quiesce(MorphCommit message, Reply reply) {
        UUID which = message.operation();
        if (over(state) || state == OperationState.FROZEN) {
            reply.say(commitAnswer(which, state));
        } else if (role != Role.SOURCE || rounds == 0 || resting) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + state);
        } else {
            resting = true;
            world.scheduler().after(world.network().nanos(0, 20), kernel.life, () -> {
                if (freeze(which, message.timeMicros() * 1_000)) {
                    world.handOvers().frozen(kernel, world.machine().kernel((int) peer));
                    reply.say(commitAnswer(which, state));
                    early.ifPresent(Runnable::run);
                    early = Optional.empty();
                }
            });
        }
    }

    private void release(Reply reply) {
        letGo(world.machine().kernel((int) peer));
        if (over(state)) {
            reply.say(commitAnswer(operation.orElseThrow(), state));
        } else {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + state);
        }
    }

    /** @return whether the workload stands still, until its lease ends */
    private boolean freeze(UUID which, long leaseNanos) {
        if (!resting || operation.filter(which::equals).isEmpty() || over(state)) {
            return false;
        }
        resting = false;
        kernel.work.state = WorkloadState.FROZEN;
        leaseEndNanos = world.scheduler().now() + leaseNanos;
        become(OperationState.FROZEN);
        world.scheduler().after(leaseNanos, kernel.life, () -> {
            if (isFrozenBy(which)) {
                world.judge().ownership().resumes(kernel);
                become(OperationState.RESUMED);
                answerThoseWhoWait();
            }
        });
        return true;
    }

    private void freezeAndSend(UUID which, long leaseNanos) {
        if (!freeze(which, leaseNanos)) {
            return;
        }
        boolean deaf = world.handOvers().frozen(kernel, target);
        Runnable taken = deaf
                ? () -> world.say("agent", () -> kernel + " does not hear that it was taken")
                : () -> release(which);
        send(which, true, taken, this::answerThoseWhoWait);
    }

    private boolean isFrozenBy(UUID which) {
        return operation.filter(which::equals).isPresent() && state == OperationState.FROZEN;
    }

    private void release(UUID which) {
        if (isFrozenBy(which)) {
            letGo(target);
        }
        answerThoseWhoWait();
    }

    /** Where the lease is not over. */
    private void letGo(Optional<Kernel> to) {
        if (state == OperationState.FROZEN && world.scheduler().now() < leaseEndNanos) {
            kernel.work.state = WorkloadState.STOPPED;
            kept = Optional.of(kernel.work.stamp);
            become(OperationState.RELEASED);
            world.handOvers().released(kernel, to);
        }
    }

    private void answerThoseWhoWait() {
        List.copyOf(waitForRelease).forEach(Runnable::run);
        waitForRelease.clear();
    }

    private void activate(Reply reply) {
        if (state != OperationState.ACTIVE) {
            boolean ready = role == Role.TARGET && !over(state) && (cold || state == OperationState.VALIDATED);
            if (!ready) {
                reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + state);
                return;
            }
            if (cold) {
                world.judge().ownership().begins(kernel);
            } else {
                takeOver(operation.orElseThrow());
            }
            become(OperationState.ACTIVE);
            UUID which = operation.orElseThrow();
            waitForBegin.add(() -> reply.say(commitAnswer(which, OperationState.ACTIVE)));
            if (!beginning) {
                answerThoseWhoWaitForIt();
            }
            return;
        }
        reply.say(commitAnswer(operation.orElseThrow(), state));
    }

    private void answerThoseWhoWaitForIt() {
        List.copyOf(waitForBegin).forEach(Runnable::run);
        waitForBegin.clear();
    }

    /** Nobody hears of it before it has begun. */
    private void takeOver(UUID which) {
        beginning = true;
        kernel.work.state = WorkloadState.STARTING;
        Optional<Long> late = world.handOvers().toBegin(() -> {
            if (isBeginning(which)) {
                world.say("agent", () -> "the workload on " + kernel + " ends before it has begun");
                kernel.work.state = WorkloadState.FAILED;
                answerThoseWhoWaitForIt();
            }
        });
        if (late.equals(Optional.of(0L))) {
            begin();
        } else {
            late.ifPresent(nanos -> world.scheduler().after(nanos, kernel.life, () -> {
                if (isBeginning(which)) {
                    begin();
                }
            }));
        }
    }

    private boolean isBeginning(UUID which) {
        return beginning && operation.filter(which::equals).isPresent() && kernel.work.state == WorkloadState.STARTING;
    }

    private void begin() {
        beginning = false;
        world.say("agent", () -> "the workload on " + kernel + " begins");
        world.judge().ownership().takesOver(kernel, operation.orElseThrow(), copy.orElseThrow());
        answerThoseWhoWaitForIt();
    }

    private void giveBack(Reply reply) {
        if (role != Role.TARGET || !over(state)) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + state);
            return;
        }
        if (beginning) {
            beginning = false;
            kernel.work.state = WorkloadState.STOPPED;
            become(OperationState.ROLLED_BACK);
        }
        reply.say(commitAnswer(operation.orElseThrow(), state));
    }
}
