// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * How much history is kept. State, the newest record of each open key, is no history and not touched by any of it.
 *
 * @param age how long history is kept, of kinds that have no age of their own
 * @param ageByKind the kinds that have
 * @param recordsPerKind the most records of history of each kind but {@code audit}
 * @param maxBytes what the file never grows over
 */
record Retention(Duration age, Map<String, Duration> ageByKind, long recordsPerKind, long maxBytes) {
    /** Written for later proof: no count limits it, and when space is short it goes last. */
    static final String AUDIT = "audit";

    private static final int MAX_DAYS = 36_500;

    Retention {
        ageByKind = Map.copyOf(ageByKind);
    }

    /** @throws IllegalArgumentException naming the setting that cannot be, and what it could be */
    static Retention of(JournalConfig config) {
        Map<String, Duration> ages = new HashMap<>();
        ages.put(AUDIT, days("audit.days", config.audit_days()));
        for (String setting : config.kind_days().split(",")) {
            if (!setting.isBlank()) {
                String[] parts = setting.trim().split("\\s*=\\s*");
                if (parts.length != 2 || parts[0].isEmpty() || !parts[1].matches("\\d{1,9}")) {
                    throw new IllegalArgumentException("kind.days has \"" + setting.trim()
                            + "\"; it must be kind=days, with commas between them, as in recovery=90, morph=90");
                }
                ages.put(parts[0], days("kind.days of " + parts[0], Integer.parseInt(parts[1])));
            }
        }
        return new Retention(
                days("history.days", config.history_days()),
                ages,
                within("history.records", config.history_records(), 100, 10_000_000),
                within("size.mb", config.size_mb(), 8, 65_536) << 20);
    }

    Duration ageOf(String kind) {
        return ageByKind.getOrDefault(kind, age);
    }

    /** Over this, history goes before its age and count say so; the rest is room for what comes while it goes. */
    long softBytes() {
        return maxBytes / 4 * 3;
    }

    private static Duration days(String name, int days) {
        return Duration.ofDays(within(name, days, 1, MAX_DAYS));
    }

    private static long within(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + least + " to " + most);
        }
        return value;
    }
}
