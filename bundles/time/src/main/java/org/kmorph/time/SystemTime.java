// SPDX-License-Identifier: Apache-2.0
package org.kmorph.time;

import java.time.Instant;
import org.kmorph.api.time.TimeSource;
import org.osgi.service.component.annotations.Component;

/** The machine's own clocks; {@link #nanos} is CLOCK_MONOTONIC, which {@link System#nanoTime} reads on Linux. */
@Component
public final class SystemTime implements TimeSource {
    @Override
    public long nanos() {
        return System.nanoTime();
    }

    @Override
    public Instant now() {
        return Instant.now();
    }
}
