// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.Text;
import org.kmorph.kmp.message.Condition;
import org.kmorph.kmp.message.HealthStatus;
import org.kmorph.kmp.message.Severity;

/** What an agent reports of itself: docs/kmp.md, KMP_HEALTH_STATUS. Not thread-safe. */
final class Troubles {
    private static final Map<Integer, String> NAMES = Map.of(
            Condition.MEMORY_PRESSURE,
            "memory pressure",
            Condition.WRITER_STUCK,
            "a synced write does not return",
            Condition.WORKLOAD_ENDED,
            "the workload has ended",
            Condition.LEASE_EXPIRED,
            "the lease of a morph expired, the workload runs on",
            Condition.MORPH_EXPIRED,
            "a prepared morph was dropped");

    /** Conditions that happen and do not last. */
    private static final int MOMENTS = 1 << Condition.LEASE_EXPIRED | 1 << Condition.MORPH_EXPIRED;

    private final Map<Integer, String> holding = new TreeMap<>();

    /** What is to be told of a report; empty when it only says again what is known. */
    Optional<String> reported(HealthStatus status) {
        int condition = status.condition();
        String text = name(condition)
                + Items.first(status.items(), Text.class)
                        .map(said -> ": " + said.text().replaceAll("\\p{Cntrl}", "?"))
                        .orElse("");
        if (status.severity() == Severity.CLEARED) {
            return Optional.ofNullable(holding.remove(condition)).map(before -> "over: " + name(condition));
        }
        if (condition < 32 && (MOMENTS >>> condition & 1) == 1) {
            return Optional.of(text);
        }
        boolean known = holding.containsKey(condition);
        holding.put(condition, text);
        return known ? Optional.empty() : Optional.of(text);
    }

    /**
     * A heartbeat tells which hold now: reports may have been lost with a connection.
     *
     * @param trouble bit n: condition n holds
     */
    void hold(int trouble) {
        if (trouble == 0 && holding.isEmpty()) {
            return;
        }
        holding.keySet().removeIf(condition -> condition >= 32 || (trouble >>> condition & 1) == 0);
        for (int condition = 0; condition < 32; condition++) {
            if ((trouble >>> condition & 1) == 1) {
                holding.putIfAbsent(condition, name(condition));
            }
        }
    }

    List<String> texts() {
        return holding.isEmpty() ? List.of() : new ArrayList<>(holding.values());
    }

    private static String name(int condition) {
        return NAMES.getOrDefault(condition, "condition " + condition);
    }
}
