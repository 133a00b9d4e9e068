// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.time;

import java.time.Instant;

/** The clocks. Thread-safe. */
public interface TimeSource {
    /** Nanoseconds of a clock that never goes back and that no one sets; only differences mean anything. */
    long nanos();

    /** The wall clock, for people and records alone; it may jump either way. */
    Instant now();
}
