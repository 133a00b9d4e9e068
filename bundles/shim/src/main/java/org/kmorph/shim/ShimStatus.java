// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shim;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * How a shim's kernel stands.
 *
 * @param pid of its process, while it runs
 * @param isolated the namespaces that it has of its own: {@code pid}, {@code mount}, {@code net}; empty once it has ended
 * @param ended how it ended, for people, if it has
 */
public record ShimStatus(Optional<Long> pid, Set<String> isolated, Optional<String> ended) {
    private static final BigDecimal NANOS = BigDecimal.valueOf(1_000_000_000L);

    public ShimStatus {
        isolated = Set.copyOf(isolated);
    }

    public boolean running() {
        return ended.isEmpty();
    }

    /** Its kernel has ended so. */
    static ShimStatus ended(String how) {
        return new ShimStatus(Optional.empty(), Set.of(), Optional.of(how));
    }

    /**
     * Reads the line by which a shim tells it.
     *
     * @return empty for a line that says something else
     */
    static Optional<ShimStatus> parse(String line) {
        List<String> words = List.of(line.split(" "));
        try {
            if (words.size() == 4 && words.get(0).equals("RUNNING")) {
                String list = words.get(3).substring("isolated=".length());
                Set<String> isolated = new TreeSet<>(List.of(list.split(",")));
                isolated.remove("");
                return Optional.of(
                        new ShimStatus(Optional.of(Long.parseLong(words.get(1))), isolated, Optional.empty()));
            }
            if (words.size() == 4 && words.get(0).equals("EXITED")) {
                return Optional.of(ended(describeExit(words.subList(1, 4))));
            }
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    /**
     * Puts into words what the shim tells, and keeps in its file {@code exit}.
     *
     * @param words {@code exited STATUS SECONDS} or {@code killed SIGNAL SECONDS}
     * @throws IllegalArgumentException for anything else
     */
    static String describeExit(List<String> words) {
        if (words.size() != 3) {
            throw new IllegalArgumentException("expected three words");
        }
        int number = Integer.parseInt(words.get(1));
        Instant at = Instant.ofEpochSecond(
                0, new BigDecimal(words.get(2)).multiply(NANOS).longValueExact());
        return switch (words.get(0)) {
            case "exited" -> "it exited with status " + number + " at " + at;
            case "killed" -> "it was killed by signal " + number + " at " + at;
            default -> throw new IllegalArgumentException("expected exited or killed");
        };
    }
}
