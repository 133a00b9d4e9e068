// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How fast recoveries may begin, whoever fails. Pure; for one thread.
 *
 * <p>Alone a failed instance is healed at once. When one after the other fails, its successors die of what it died of: the load that
 * they took over, a disk that all share. From the {@link #CASCADE}th different instance within {@link #WINDOW} on, each recovery begins
 * later after the one before it than that did, up to {@link #MOST}, so that what was brought back can settle before more is.
 */
final class Pace {
    static final int CASCADE = 4;
    static final Duration WINDOW = Duration.ofSeconds(60);
    private static final Duration FIRST = Duration.ofSeconds(1);
    private static final Duration MOST = Duration.ofSeconds(30);

    private record Begun(String instance, long nanos) {}

    private final Deque<Begun> recent = new ArrayDeque<>();

    /**
     * When the recovery of an instance that has failed may begin.
     *
     * @return empty for now
     */
    Optional<Long> holdUntil(String instance, long nowNanos) {
        forget(nowNanos);
        Set<String> others = recent.stream()
                .map(Begun::instance)
                .filter(name -> !name.equals(instance))
                .collect(Collectors.toSet());
        int beyond = others.size() - (CASCADE - 1);
        if (beyond < 0) {
            return Optional.empty();
        }
        long pause = Math.min(MOST.toNanos(), FIRST.toNanos() << Math.min(beyond, 10));
        long from = recent.peekLast().nanos() + pause;
        return from > nowNanos ? Optional.of(from) : Optional.empty();
    }

    private void forget(long nowNanos) {
        while (!recent.isEmpty() && nowNanos - recent.peekFirst().nanos() > WINDOW.toNanos()) {
            recent.removeFirst();
        }
    }

    void begun(String instance, long nowNanos) {
        forget(nowNanos);
        recent.addLast(new Begun(instance, nowNanos));
    }
}
