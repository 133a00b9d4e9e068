// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.util.Optional;
import java.util.function.Function;
import org.kmorph.api.time.Randomness;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport;

/**
 * What a session stands on.
 *
 * @param transports the transport of a scheme, if there is one now
 * @param bootNanos how far the machine's time since its boot (CLOCK_BOOTTIME) is ahead of {@code time}
 */
record Surroundings(
        TimeSource time,
        Randomness randomness,
        Timer timer,
        Function<String, Optional<Transport>> transports,
        BootOffset bootNanos) {

    /** Between 0 and 1. */
    double random() {
        return (randomness.nextLong() >>> 11) * 0x1.0p-53;
    }
}
