// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.item.WorkloadStatus;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.OperationAnswer;
import org.kmorph.kmp.message.WorkloadState;

/** Where an agent stands in a morph: what both its sides go by. It outlives connections, and ends with the agent. */
final class Standing {
    private final World world;
    private final Kernel kernel;
    final Map<UUID, OperationState> finished = new HashMap<>();
    Optional<UUID> operation = Optional.empty();
    Role role = Role.SOURCE;
    OperationState state = OperationState.UNKNOWN;
    boolean cold;
    long peer;

    /** Whether the workload was taken over and has not begun yet. */
    boolean beginning;

    Standing(World world, Kernel kernel) {
        this.world = world;
        this.kernel = kernel;
    }

    boolean is(UUID which) {
        return operation.filter(which::equals).isPresent();
    }

    boolean busy() {
        return operation.isPresent() && !over();
    }

    /** Whether the operation is finished. */
    boolean over() {
        return over(state);
    }

    private static boolean over(OperationState state) {
        return switch (state) {
            case RELEASED, RESUMED, ACTIVE, ROLLED_BACK -> true;
            default -> false;
        };
    }

    void become(OperationState next) {
        state = next;
        world.say("agent", () -> kernel + " is " + next + " as " + role);
        if (over(next)) {
            finished.put(operation.orElseThrow(), next);
        }
    }

    OperationAnswer answer(MessageType type, Verdict verdict) {
        return new OperationAnswer(type, operation.orElseThrow(), state, verdict, List.of());
    }

    CommitAnswer commitAnswer(UUID which, OperationState known) {
        int status = kernel.work.state == WorkloadState.FAILED ? 1 : -1;
        List<Item> items = known == OperationState.ACTIVE
                ? List.of(new WorkloadStatus(
                        1, status, 1, beginning, world.scheduler().now()))
                : List.of();
        return new CommitAnswer(which, known, Verdict.NONE, 0, world.scheduler().now(), items);
    }
}
