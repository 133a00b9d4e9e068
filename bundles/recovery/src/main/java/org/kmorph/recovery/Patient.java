// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.kmp.message.Cause;

/**
 * Who is healed and why; does not change during a recovery, but for the evidence, of which there may be more once its memory was read.
 *
 * @param operation the recovery's id
 * @param instanceId of the instance that failed; its successor has another one
 * @param spec what it was
 * @param cause what made the recovery necessary
 * @param reason the same, for people
 * @param by who asked: {@code policy}, or a person
 * @param bootId of its last heartbeat; 0 when it was never heard
 * @param crashes how many times the name has failed within the policy's window, this one included
 * @param evidence what was known of it, by name, for people
 */
record Patient(
        UUID operation,
        int instanceId,
        InstanceSpec spec,
        Cause cause,
        String reason,
        String by,
        long bootId,
        int crashes,
        Map<String, String> evidence) {
    Patient {
        evidence = Map.copyOf(evidence);
    }

    /** The same, of whom more is known. */
    Patient knowing(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(evidence);
        all.putAll(more);
        return new Patient(operation, instanceId, spec, cause, reason, by, bootId, crashes, all);
    }

    String name() {
        return spec.name();
    }
}
