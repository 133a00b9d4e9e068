// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.health;

import java.util.Optional;

/**
 * What a heartbeat said.
 *
 * @param receivedNanos when it came, by {@link org.kmorph.api.time.TimeSource#nanos}
 * @param roundTripNanos from request to answer
 * @param bootId the instance's random boot id; another one than before means that it rebooted
 * @param agentState the agent's word for its own state
 * @param workloadState the agent's word for the state of its workload: {@code none}, {@code running}, {@code failed}
 * @param uptimeMillis since its boot
 * @param cpuRatio its processors' use since the last heartbeat, 0 to 1
 * @param memoryTotalBytes its memory
 * @param memoryAvailableBytes what of it could be had
 * @param ioMicros how long a small synced write took; empty while one is stuck
 * @param load its one-minute load average
 */
public record Heartbeat(
        long receivedNanos,
        long roundTripNanos,
        long bootId,
        String agentState,
        String workloadState,
        long uptimeMillis,
        double cpuRatio,
        long memoryTotalBytes,
        long memoryAvailableBytes,
        Optional<Long> ioMicros,
        double load) {}
