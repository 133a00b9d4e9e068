// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** How far words are from each other. */
final class Spelling {
    private static final int NEAR = 3;

    private Spelling() {}

    /** The Levenshtein distance: letters inserted, deleted or replaced. */
    static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, Math.min(previous[j], current[j - 1]) + 1);
            }
            previous = current;
        }
        return previous[b.length()];
    }

    /** The known word that may have been meant. */
    static Optional<String> nearest(String word, Collection<String> known) {
        return known.stream()
                .filter(candidate -> distance(candidate, word) <= Math.min(NEAR, candidate.length() - 1))
                .min(Comparator.comparingInt((String candidate) -> distance(candidate, word))
                        .thenComparing(Comparator.naturalOrder()));
    }
}
