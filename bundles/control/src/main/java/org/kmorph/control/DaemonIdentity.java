// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.time.Instant;

/**
 * Tells one run of the daemon from every other: a bundle that finds its socket answered needs to know whether by its own
 * predecessor in this process, or by a stranger.
 *
 * @param pid the process
 * @param startedMillis when it started, milliseconds since 1970
 */
record DaemonIdentity(long pid, long startedMillis) {
    static DaemonIdentity ofThisProcess() {
        ProcessHandle self = ProcessHandle.current();
        return new DaemonIdentity(
                self.pid(),
                self.info().startInstant().map(Instant::toEpochMilli).orElse(0L));
    }
}
