// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Peer;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.MorphCommit;
import org.kmorph.kmp.message.TransferPull;
import org.kmorph.kmp.message.WorkloadState;

/** An agent as the source of a morph: sends state, freezes the workload under a lease, and lets it go. */
final class SourceSide {
    private static final long PEER_PATIENCE_NANOS = 3_000_000_000L;

    private final World world;
    private final Kernel kernel;
    private final Standing at;
    private final List<Runnable> waitForRelease = new ArrayList<>();

    /** Where state goes through the daemon's hands. */
    private final SourceFlow flow;

    private boolean resting;
    private long rounds;
    private long leaseEndNanos;
    private Optional<Kernel> target = Optional.empty();

    /** The pull of the final round, which came before the workload stood still. */
    private Optional<Runnable> early = Optional.empty();

    /** The stamp of the state that was let go, which it could go on with. */
    private Optional<Long> kept = Optional.empty();

    SourceSide(World world, Kernel kernel, Standing at) {
        this.world = world;
        this.kernel = kernel;
        this.at = at;
        flow = new SourceFlow(world, kernel);
    }

    /** When a workload that is frozen now must run on, if it is not released. */
    long leaseEndNanos() {
        return leaseEndNanos;
    }

    Optional<Long> kept() {
        return kept;
    }

    /** Nothing is under way any more. */
    void forget() {
        early = Optional.empty();
        flow.forget();
        resting = false;
        waitForRelease.clear();
    }

    /** Another agent takes its place. */
    void restart() {
        kept = Optional.empty();
        forget();
    }

    /** Another operation begins. */
    void prepared() {
        rounds = 0;
        forget();
    }

    /** A round to whoever asks for it. */
    private void pullHere(TransferPull message, MorphAgent.Reply reply) {
        boolean allowed = message.finalRound()
                ? at.state == OperationState.FROZEN
                : at.state == OperationState.NEGOTIATED || at.state == OperationState.TRANSFERRING;
        if (at.role == Role.SOURCE && message.finalRound() && resting) {
            early = Optional.of(() -> pullHere(message, reply));
        } else if (at.role != Role.SOURCE || !allowed) {
            reply.refuse(ErrorCode.WRONG_STATE, flow.rounds(), "it is " + at.state);
        } else {
            if (at.state == OperationState.NEGOTIATED) {
                at.become(OperationState.TRANSFERRING);
            }
            flow.pull(message, at.state, world.machine().kernel((int) at.peer), reply);
            rounds = flow.rounds();
        }
    }

    /** A round to the target's agent, which is answered when that has it. */
    void pull(TransferPull message, MorphAgent.Reply reply) {
        if (Items.first(message.items(), Peer.class).isEmpty()) {
            pullHere(message, reply);
            return;
        }
        boolean again = at.state == OperationState.RELEASED;
        boolean allowed = again && message.finalRound()
                || (at.state == OperationState.NEGOTIATED || at.state == OperationState.TRANSFERRING)
                        && !message.finalRound();
        if (at.role != Role.SOURCE || !allowed) {
            reply.refuse(ErrorCode.WRONG_STATE, rounds, "it is " + at.state);
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
                    if (!again && !at.over()) {
                        rounds = Math.max(rounds, message.round());
                        at.become(OperationState.TRANSFERRING);
                    }
                    long bytes = (4L << 20) >> Math.min(10, rounds);
                    reply.say(new Acknowledgement(
                            MessageType.MORPH_TRANSFER_STATE_ANSWER,
                            which,
                            at.state,
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
            boolean has =
                    to.listens(world.scheduler().now()) && to.morphs.target().take(which, stamp, last);
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

    void handOver(MorphCommit message, MorphAgent.Reply reply) {
        UUID which = message.operation();
        if (at.over()) {
            reply.say(at.commitAnswer(which, at.state));
            return;
        }
        if (at.role != Role.SOURCE || rounds == 0) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + at.state);
            return;
        }
        waitForRelease.add(() -> {
            if (at.state == OperationState.RELEASED) {
                reply.say(at.commitAnswer(which, at.state));
            } else {
                reply.refuse(ErrorCode.INTERNAL, 0, "it has not been handed over");
            }
        });
        if (!resting && at.state != OperationState.FROZEN) {
            resting = true;
            world.scheduler()
                    .after(
                            world.network().nanos(0, 20),
                            kernel.life,
                            () -> freezeAndSend(which, message.timeMicros() * 1_000));
        }
    }

    /** Freezes; the final round is pulled, and the release is asked for. */
    void quiesce(MorphCommit message, MorphAgent.Reply reply) {
        UUID which = message.operation();
        if (at.over() || at.state == OperationState.FROZEN) {
            reply.say(at.commitAnswer(which, at.state));
        } else if (at.role != Role.SOURCE || rounds == 0 || resting) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + at.state);
        } else {
            resting = true;
            world.scheduler().after(world.network().nanos(0, 20), kernel.life, () -> {
                if (freeze(which, message.timeMicros() * 1_000)) {
                    world.handOvers().frozen(kernel, world.machine().kernel((int) at.peer));
                    reply.say(at.commitAnswer(which, at.state));
                    early.ifPresent(Runnable::run);
                    early = Optional.empty();
                }
            });
        }
    }

    void release(MorphAgent.Reply reply) {
        letGo(world.machine().kernel((int) at.peer));
        if (at.over()) {
            reply.say(at.commitAnswer(at.operation.orElseThrow(), at.state));
        } else {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + at.state);
        }
    }

    /** @return whether the workload stands still, until its lease ends */
    private boolean freeze(UUID which, long leaseNanos) {
        if (!resting || !at.is(which) || at.over()) {
            return false;
        }
        resting = false;
        kernel.work.state = WorkloadState.FROZEN;
        leaseEndNanos = world.scheduler().now() + leaseNanos;
        at.become(OperationState.FROZEN);
        world.scheduler().after(leaseNanos, kernel.life, () -> {
            if (isFrozenBy(which)) {
                world.judge().ownership().resumes(kernel);
                at.become(OperationState.RESUMED);
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
        return at.is(which) && at.state == OperationState.FROZEN;
    }

    void release(UUID which) {
        if (isFrozenBy(which)) {
            letGo(target);
        }
        answerThoseWhoWait();
    }

    /** Where the lease is not over. */
    private void letGo(Optional<Kernel> to) {
        if (at.state == OperationState.FROZEN && world.scheduler().now() < leaseEndNanos) {
            kernel.work.state = WorkloadState.STOPPED;
            kept = Optional.of(kernel.work.stamp);
            at.become(OperationState.RELEASED);
            world.handOvers().released(kernel, to);
        }
    }

    private void answerThoseWhoWait() {
        List.copyOf(waitForRelease).forEach(Runnable::run);
        waitForRelease.clear();
    }
}
