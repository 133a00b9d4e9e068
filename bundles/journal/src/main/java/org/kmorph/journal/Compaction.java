// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static java.util.Comparator.comparingLong;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Decides which history goes. Pure: what the journal holds, what is to be kept and the time come in, one cut comes out. */
final class Compaction {
    private Compaction() {}

    /**
     * The history of a kind. Records are old by their place in the journal, never by their time alone: a wall clock that was
     * wrong for a while must not make new records look old.
     *
     * @param records how many
     * @param oldestSequence the first of them
     * @param oldest when that was written
     */
    record KindHistory(String kind, long records, long oldestSequence, Instant oldest) {}

    /**
     * What the journal holds.
     *
     * @param usedBytes of its file, without pages that are free already
     * @param history of each kind that has any
     */
    record Contents(long usedBytes, List<KindHistory> history) {
        Contents {
            history = List.copyOf(history);
        }
    }

    /**
     * Remove the oldest history of a kind, until one of these ends it.
     *
     * @param records at most so many
     * @param bytes no more once so many bytes of entries went
     * @param before only up to the first record written at this time or later
     */
    record Cut(String kind, long records, long bytes, Optional<Instant> before) {}

    /** The next cut to make; empty when all that is there is to be kept. */
    static Optional<Cut> next(Retention keep, Contents contents, Instant now) {
        return bySize(keep, contents).or(() -> byCount(keep, contents)).or(() -> byAge(keep, contents, now));
    }

    private static Optional<Cut> bySize(Retention keep, Contents contents) {
        long excess = contents.usedBytes() - keep.softBytes();
        if (excess <= 0) {
            return Optional.empty();
        }
        return contents.history().stream()
                .min(Comparator.<KindHistory, Boolean>comparing(h -> h.kind().equals(Retention.AUDIT))
                        .thenComparing(comparingLong(KindHistory::oldestSequence)))
                // half: one kind does not give everything before the next is looked at
                .map(h -> new Cut(h.kind(), Math.max(1, h.records() / 2), excess, Optional.empty()));
    }

    private static Optional<Cut> byCount(Retention keep, Contents contents) {
        return contents.history().stream()
                .filter(h -> !h.kind().equals(Retention.AUDIT) && h.records() > keep.recordsPerKind())
                .findFirst()
                .map(h -> new Cut(h.kind(), h.records() - keep.recordsPerKind(), Long.MAX_VALUE, Optional.empty()));
    }

    private static Optional<Cut> byAge(Retention keep, Contents contents, Instant now) {
        for (KindHistory h : contents.history()) {
            Instant horizon = now.minus(keep.ageOf(h.kind()));
            if (h.oldest().isBefore(horizon)) {
                return Optional.of(new Cut(h.kind(), Long.MAX_VALUE, Long.MAX_VALUE, Optional.of(horizon)));
            }
        }
        return Optional.empty();
    }
}
