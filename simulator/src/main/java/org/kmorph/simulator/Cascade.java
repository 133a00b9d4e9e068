// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.kmorph.api.journal.Entry;

/** Whether recoveries keep the distance that docs/recovery.md asks for once many different instances fail one after the other. */
final class Cascade {
    private static final int AT_ONCE = 3;
    private static final long WINDOW_NANOS = Duration.ofSeconds(60).toNanos();
    private static final long FIRST_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long MOST_NANOS = Duration.ofSeconds(30).toNanos();

    /** From its decision to its record, a beginning may take so long on a slow disk. */
    private static final long SLACK_NANOS = Duration.ofMillis(700).toNanos();

    private record Begun(String instance, long nanos) {}

    private final World world;
    private final Set<String> operations = new HashSet<>();
    private final List<Begun> begun = new ArrayList<>();

    Cascade(World world) {
        this.world = world;
    }

    void recorded(Entry recovery) {
        if (!operations.add(recovery.key()) || !recovery.fields().get("state").equals("PREPARING_RECOVERY")) {
            return;
        }
        long now = world.scheduler().now();
        String name = recovery.instance().orElseThrow();
        begun.removeIf(one -> now - one.nanos() > WINDOW_NANOS);
        if (recovery.fields().get("by").equals("policy") && !world.wallClockJumps()) {
            Set<String> others = new HashSet<>();
            begun.stream()
                    .map(Begun::instance)
                    .filter(other -> !other.equals(name))
                    .forEach(others::add);
            int beyond = others.size() - AT_ONCE;
            if (beyond >= 0) {
                check(name, now, Math.min(MOST_NANOS, FIRST_NANOS << beyond));
            }
        }
        begun.add(new Begun(name, now));
    }

    /** Records were lost: whoever reads them knows no better. */
    void forget() {
        begun.clear();
    }

    private void check(String name, long now, long pauseNanos) {
        long passed = now - begun.get(begun.size() - 1).nanos();
        if (passed < pauseNanos - SLACK_NANOS) {
            throw new Violation("a cascade is not slowed down: the recovery of \"" + name + "\" begins "
                    + passed / 1_000_000 + " ms after the one before, " + pauseNanos / 1_000_000 + " ms are asked for");
        }
    }
}
