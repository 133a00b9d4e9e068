// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.Map;
import org.kmorph.api.journal.Entry;

/** How long the start of a successor is to wait, worked out anew from what the policy was when the recovery began. */
final class Backoff {
    private Backoff() {}

    static long nanos(Entry recovery) {
        Map<String, String> fields = recovery.fields();
        int crashes = Integer.parseInt(fields.get("crashes"));
        if (crashes < 2) {
            return 0;
        }
        long first = Duration.parse(fields.get("backoff")).toNanos();
        long most = Duration.parse(fields.get("backoff_most")).toNanos();
        long doubled = first << Math.min(crashes - 2, 30);
        return Math.min(doubled, most);
    }
}
