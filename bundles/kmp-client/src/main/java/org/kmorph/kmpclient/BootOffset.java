// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.kmorph.api.time.TimeSource;

/**
 * How far CLOCK_BOOTTIME, which timestamp_ns of a frame is of, is ahead of a {@link TimeSource}: they differ by the time that the
 * machine was suspended. /proc/uptime tells it to 10 ms, which does: receivers compare a sender's timestamps only with each other.
 */
interface BootOffset extends LongSupplier {
    /** In nanoseconds. Measured for each connection once, so that timestamps of one connection never go back. */
    @Override
    long getAsLong();

    static BootOffset of(TimeSource time, Path uptime) {
        return () -> {
            try {
                String text = Files.readString(uptime);
                double seconds = Double.parseDouble(text.substring(0, text.indexOf(' ')));
                return (long) (seconds * 1e9) - time.nanos();
            } catch (IOException | RuntimeException e) {
                return 0;
            }
        };
    }
}
