// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.time.Instant;
import org.kmorph.api.time.TimeSource;

/** The machine's own clocks. */
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
