// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.item.WorkloadStatus;
import org.kmorph.kmp.message.CommitAnswer;
import org.kmorph.kmp.message.CommitPhase;
import org.kmorph.morph.core.Event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks a new kernel's agent after its workload, as long as the provisional window lasts. What is found ends it. */
final class Watch {
    private static final Logger LOG = LoggerFactory.getLogger(Watch.class);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(250);

    /** How long a workload may take to begin after the commit; the commit itself has waited for it already. */
    private static final Duration TO_BEGIN = Duration.ofSeconds(3);

    /** After this there is nobody who could say that the workload has not begun. */
    private static final Duration SILENCE = Duration.ofSeconds(5);

    private final Surroundings around;
    private final Conversation conversation;
    private final Consumer<Runnable> turns;
    private final int number;
    private final MorphSteps.Report report;
    private final Runnable begun;
    private final long sinceNanos;
    private volatile long heardNanos;
    private volatile boolean hasBegun;

    /**
     * @param turns runs what is given to it, unless the morph has gone elsewhere
     * @param number of the step that this is
     * @param hasBegun whether the workload is known to have
     * @param begun is told when the workload has begun, or nobody says whether it has
     */
    Watch(
            Surroundings around,
            Conversation conversation,
            Consumer<Runnable> turns,
            int number,
            MorphSteps.Report report,
            boolean hasBegun,
            Runnable begun) {
        this.around = around;
        this.conversation = conversation;
        this.turns = turns;
        this.number = number;
        this.report = report;
        this.hasBegun = hasBegun;
        this.begun = begun;
        this.sinceNanos = around.time().nanos();
        this.heardNanos = sinceNanos;
    }

    /** Whether the workload is known to have begun. */
    boolean hasBegun() {
        return hasBegun;
    }

    void look() {
        conversation.commit(Role.TARGET, CommitPhase.QUERY, Duration.ZERO).whenComplete((answer, failure) -> {
            Optional<Event> end = failure == null ? heard(answer) : notHeard(failure);
            if (end.isEmpty() && passed(sinceNanos, window())) {
                end = Optional.of(new Event.WindowOver());
            }
            if (end.isPresent()) {
                report.accept(number, end.get());
            } else {
                again();
            }
        });
    }

    /** What a workload that was asked after once more is: an event for {@code ASK_WORKLOAD}. */
    static Event.WorkloadIs found(CommitAnswer answer) {
        return judged(answer, workload -> false).orElseGet(() -> new Event.WorkloadIs(true, false, ""));
    }

    private interface Late {
        boolean is(WorkloadStatus workload);
    }

    /** Whether a workload is known to have begun, by the answer to ACTIVATE or a later one. */
    static boolean hasBegun(CommitAnswer answer) {
        return answer.state() == OperationState.ACTIVE
                && Items.first(answer.items(), WorkloadStatus.class)
                        .map(workload -> !workload.beginning())
                        .orElse(true);
    }

    private static Optional<Event.WorkloadIs> judged(CommitAnswer answer, Late late) {
        Optional<WorkloadStatus> status = answer.state() == OperationState.ACTIVE
                ? Items.first(answer.items(), WorkloadStatus.class)
                : Optional.empty();
        return status.flatMap(workload -> {
            boolean ended = workload.ended();
            if (!workload.beginning()) {
                return ended
                        ? Optional.of(new Event.WorkloadIs(
                                true, true, workload.exitStatus() == 0 ? "" : "its workload " + how(workload)))
                        : Optional.empty();
            }
            String trouble = ended
                    ? "its workload " + how(workload) + " on the new kernel before it had begun"
                    : late.is(workload) ? "its workload does not begin on the new kernel" : "";
            return Optional.of(new Event.WorkloadIs(false, ended, trouble));
        });
    }

    private Optional<Event> heard(CommitAnswer answer) {
        heardNanos = around.time().nanos();
        Optional<Event.WorkloadIs> is =
                judged(answer, workload -> passed(sinceNanos, TO_BEGIN.compareTo(window()) < 0 ? TO_BEGIN : window()));
        if (is.isEmpty() || is.get().begun()) {
            hasBegun |= hasBegun(answer);
            begun.run();
        }
        return is.filter(found -> !found.trouble().isEmpty()).map(found -> found);
    }

    private Optional<Event> notHeard(Throwable failure) {
        LOG.debug("the new kernel's agent does not say how its workload is", failure);
        boolean silent = passed(heardNanos, SILENCE);
        if (hasBegun) {
            begun.run();
            return silent
                    ? Optional.of(new Event.Failed(
                            String.format(Locale.ROOT, "nothing was heard of it for %d s", SILENCE.toSeconds()), true))
                    : Optional.empty();
        }
        return silent || passed(sinceNanos, window())
                ? Optional.of(new Event.WorkloadIs(
                        false, false, "the new kernel does not say whether its workload has begun"))
                : Optional.empty();
    }

    private Duration window() {
        return Duration.ofSeconds(around.config().provisional_seconds());
    }

    private boolean passed(long since, Duration time) {
        return around.time().nanos() - since >= time.toNanos();
    }

    private void again() {
        try {
            around.timers().schedule(() -> turns.accept(this::look), BETWEEN_LOOKS.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the next daemon looks after it", e);
        }
    }

    private static String how(WorkloadStatus workload) {
        return workload.exitStatus() > 256
                ? "was ended by signal " + (workload.exitStatus() - 256)
                : "ended with status " + workload.exitStatus();
    }
}
