// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.kmorph.api.morph.MorphStep;
import org.kmorph.kmp.item.Check;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.message.CommitAnswer;

/** What is measured of one morph. Thread-safe. */
final class Figures {
    private static final String STEP = "step: ";

    /** Made when somebody looks: while they are measured a workload stands still. */
    private final List<Supplier<Stream<MorphStep>>> steps = new ArrayList<>();

    private long moved;
    private long unpacked;
    private long dirtyRate;
    private long roundBeganNanos;
    private long largestRound;
    private long transferRate;
    private long frozenNanos;
    private long stepBeganNanos;
    private Optional<Long> blackout = Optional.empty();

    synchronized void roundBegins(long nanos) {
        roundBeganNanos = nanos;
    }

    synchronized void roundOver(Round round, long nanos) {
        long bytes = round.unpacked();
        finalRound(round);
        if (bytes > largestRound) {
            largestRound = bytes;
            transferRate = (long) (bytes * 1e9 / Math.max(1, nanos - roundBeganNanos));
        }
        dirtyRate = (long) (bytes * 1e9 / Math.max(1, nanos - roundBeganNanos));
    }

    synchronized void finalRound(Round round) {
        moved += round.sent();
        unpacked += round.unpacked();
    }

    /** The workload is about to be frozen. */
    synchronized void freezing(long nanos) {
        steps.clear();
        frozenNanos = nanos;
        stepBeganNanos = nanos;
    }

    /** A step of ours ends. */
    synchronized void step(String name, long nanos) {
        if (frozenNanos != 0) {
            long micros = (nanos - stepBeganNanos) / 1000;
            steps.add(() -> Stream.of(new MorphStep(MorphStep.By.DAEMON, name, micros)));
            stepBeganNanos = nanos;
        }
    }

    /** What an agent says of its steps. */
    synchronized void steps(MorphStep.By by, CommitAnswer answer) {
        steps.add(() -> Items.all(answer.items(), Check.class).stream()
                .filter(check -> check.text().startsWith(STEP))
                .map(check -> new MorphStep(by, check.text().substring(STEP.length()), check.durationMicros())));
    }

    synchronized void running(long nanos) {
        if (frozenNanos != 0) {
            blackout = Optional.of(nanos - frozenNanos);
        }
    }

    synchronized List<MorphStep> steps() {
        return steps.stream().flatMap(Supplier::get).toList();
    }

    synchronized long moved() {
        return moved;
    }

    synchronized long unpacked() {
        return unpacked;
    }

    synchronized long dirtyRate() {
        return dirtyRate;
    }

    synchronized long transferRate() {
        return transferRate;
    }

    synchronized Optional<Long> blackout() {
        return blackout;
    }
}
