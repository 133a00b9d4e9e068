// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.recovery;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One recovery, so far.
 *
 * @param operation its id
 * @param instance the name of what failed
 * @param instanceId its id
 * @param state where it is
 * @param cause what made it necessary: {@code SILENCE}, {@code PANIC}, {@code EXIT}, {@code OPERATOR}
 * @param reason the same, for people
 * @param by who asked for it: {@code policy}, or a person
 * @param begun when it was confirmed that it failed
 * @param ended when it was over, if it is
 * @param steps each state that it came to, in order
 * @param evidence what was known of the instance, by name: last heartbeat, console, kernel
 */
public record RecoveryReport(
        String operation,
        String instance,
        int instanceId,
        RecoveryState state,
        String cause,
        String reason,
        String by,
        Instant begun,
        Optional<Instant> ended,
        List<Step> steps,
        Map<String, String> evidence) {

    public RecoveryReport {
        steps = List.copyOf(steps);
        evidence = Map.copyOf(evidence);
    }

    /**
     * A state and what it began with.
     *
     * @param at by the wall clock
     * @param detail what the step before it came to, for people; may be empty
     */
    public record Step(RecoveryState state, Instant at, String detail) {}
}
