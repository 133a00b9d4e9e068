// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.time.Instant;
import org.kmorph.api.time.TimeSource;

/** The clocks of this machine. */
final class MachineTime implements TimeSource {
    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public Instant now() {
        return Instant.now();
    }
}
