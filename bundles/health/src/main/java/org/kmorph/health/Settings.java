// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Reads the settings of a policy, and writes times as people read them. */
final class Settings {
    private Settings() {}

    /** @throws IllegalArgumentException for a setting that the policy does not have */
    static void allow(Map<String, String> settings, Set<String> known) {
        for (String name : settings.keySet()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(
                        "setting \"" + name + "\" is unknown; there is " + String.join(", ", new TreeSet<>(known)));
            }
        }
    }

    /** @throws IllegalArgumentException when it is no whole number within the bounds */
    static int whole(Map<String, String> settings, String name, int otherwise, int least, int most) {
        String text = settings.getOrDefault(name, Integer.toString(otherwise));
        try {
            int value = Integer.parseInt(text);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // said below, with what is expected
        }
        throw new IllegalArgumentException(
                "setting " + name + " is \"" + text + "\"; expected a whole number from " + least + " to " + most);
    }

    /** {@code 850 ms}, {@code 1.25 s}. */
    static String millis(long nanos) {
        return nanos < 1_000_000_000L ? nanos / 1_000_000 + " ms" : String.format(Locale.ROOT, "%.2f s", nanos / 1e9);
    }
}
