// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.MorphTransfer;
import org.kmorph.kmp.message.MorphValidate;
import org.kmorph.kmp.message.ValidateScope;
import org.kmorph.kmp.message.WorkloadState;

/** An agent as the target of a morph: takes state, and has the workload go on with it. */
final class TargetSide {
    private final World world;
    private final Kernel kernel;
    private final Standing at;
    private final Runnable heard;
    private final TargetIntake intake = new TargetIntake();
    private final List<Runnable> waitForBegin = new ArrayList<>();

    /** The stamp of the final state that it has. */
    private Optional<Long> copy = Optional.empty();

    /** @param heard something has come that was not asked for by the daemon */
    TargetSide(World world, Kernel kernel, Standing at, Runnable heard) {
        this.world = world;
        this.kernel = kernel;
        this.at = at;
        this.heard = heard;
    }

    /** Nothing is under way any more. */
    void forget() {
        copy = Optional.empty();
        intake.forget();
    }

    /** Another agent takes its place. */
    void restart() {
        if (at.beginning && kernel.work.state == WorkloadState.STARTING) {
            begin();
        }
        at.beginning = false;
        waitForBegin.clear();
        forget();
    }

    /** It has the final state already. */
    void has(Optional<Long> state) {
        copy = state;
    }

    /** As target: a round has come. @return whether it could be taken */
    boolean take(UUID which, long stamp, boolean last) {
        boolean fits =
                at.is(which) && at.role == Role.TARGET && !at.cold && !at.over() && at.state != OperationState.PREPARED;
        if (!fits || copy.isPresent() && !last) {
            return false;
        }
        heard.run();
        copy = last ? Optional.of(stamp) : Optional.empty();
        at.become(last ? OperationState.VALIDATED : OperationState.TRANSFERRING);
        return true;
    }

    /** Some of the state comes. */
    void transfer(MorphTransfer message, MorphAgent.Reply reply) {
        if (at.role != Role.TARGET || at.cold || at.over() || at.state == OperationState.PREPARED) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + at.state);
            return;
        }
        if (at.state != OperationState.VALIDATED && at.state != OperationState.TRANSFERRING) {
            at.become(OperationState.TRANSFERRING);
        }
        intake.take(message, at.state, reply);
    }

    void validate(MorphValidate message, MorphAgent.Reply reply) {
        if (at.role != Role.TARGET || at.over()) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + at.state);
            return;
        }
        boolean last = message.scope() == ValidateScope.FINAL;
        if (last && world.relays() && copy.isEmpty()) {
            copy = intake.stamp();
        }
        boolean yes = last ? copy.isPresent() : !world.troubles().targetRefuses();
        if (yes && last && at.state == OperationState.TRANSFERRING) {
            at.become(OperationState.VALIDATED);
        }
        UUID which = message.operation();
        world.scheduler().after(world.network().nanos(1, 30), kernel.life, () -> {
            if (at.is(which)) { // another agent, in its place by then, knows nothing of it
                reply.say(at.answer(MessageType.MORPH_VALIDATE_ANSWER, yes ? Verdict.YES : Verdict.NO));
            }
        });
    }

    void activate(MorphAgent.Reply reply) {
        if (at.state != OperationState.ACTIVE) {
            boolean ready = at.role == Role.TARGET && !at.over() && (at.cold || at.state == OperationState.VALIDATED);
            if (!ready) {
                reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + at.state);
                return;
            }
            if (at.cold) {
                world.judge().ownership().begins(kernel);
            } else {
                takeOver(at.operation.orElseThrow());
            }
            at.become(OperationState.ACTIVE);
            UUID which = at.operation.orElseThrow();
            waitForBegin.add(() -> reply.say(at.commitAnswer(which, OperationState.ACTIVE)));
            if (!at.beginning) {
                answerThoseWhoWaitForIt();
            }
            return;
        }
        reply.say(at.commitAnswer(at.operation.orElseThrow(), at.state));
    }

    private void answerThoseWhoWaitForIt() {
        List.copyOf(waitForBegin).forEach(Runnable::run);
        waitForBegin.clear();
    }

    /** Nobody hears of it before it has begun. */
    private void takeOver(UUID which) {
        at.beginning = true;
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
        return at.beginning && at.is(which) && kernel.work.state == WorkloadState.STARTING;
    }

    void begin() {
        at.beginning = false;
        world.say("agent", () -> "the workload on " + kernel + " begins");
        world.judge().ownership().takesOver(kernel, at.operation.orElseThrow(), copy.orElseThrow());
        answerThoseWhoWaitForIt();
    }

    void giveBack(MorphAgent.Reply reply) {
        if (at.role != Role.TARGET || !at.over()) {
            reply.refuse(ErrorCode.WRONG_STATE, 0, "it is " + at.state);
            return;
        }
        if (at.beginning) {
            at.beginning = false;
            kernel.work.state = WorkloadState.STOPPED;
            at.become(OperationState.ROLLED_BACK);
        }
        reply.say(at.commitAnswer(at.operation.orElseThrow(), at.state));
    }
}
