// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How an instance is to be healed: its policy, at the moment at which its recovery begins.
 *
 * @param action what becomes of its work once its resources are given back
 * @param standby the name of the instance that takes its work over, if one is to; where it cannot, the action counts
 * @param fenceTimeout how long it may take until it is certain that it runs no more
 * @param capture how long it may take to save its memory first; empty for not at all
 * @param maxCrashes at so many failures within the window nothing is started any more
 * @param window over which failures count
 * @param fallbackCrashes at so many within the window the known-good kernel is started instead; 0 for never
 * @param knownGood the kernel that the name ran before it first ran its present one, if it did
 * @param backoff the wait before the second start within the window; doubles with each further one
 * @param backoffMost what it does not grow beyond
 * @param tries how often a start that fails is tried
 */
record Treatment(
        Action action,
        Optional<String> standby,
        Duration fenceTimeout,
        Optional<Duration> capture,
        int maxCrashes,
        Duration window,
        int fallbackCrashes,
        Optional<Path> knownGood,
        Duration backoff,
        Duration backoffMost,
        int tries) {

    /** What becomes of the work. */
    enum Action {
        /** The same instance is started again. */
        RESPAWN,
        /** Nothing is started. */
        STOP
    }

    /** The same without a standby, which has turned out not to be able to take over. */
    Treatment withoutStandby() {
        return new Treatment(
                action,
                Optional.empty(),
                fenceTimeout,
                capture,
                maxCrashes,
                window,
                fallbackCrashes,
                knownGood,
                backoff,
                backoffMost,
                tries);
    }

    /** The wait before start number {@code start}: none before the first, then the back-off, doubled each time. */
    Duration waitBefore(int start) {
        if (start <= 1) {
            return Duration.ZERO;
        }
        Duration wait = backoff;
        for (int doubled = 2; doubled < start && wait.compareTo(backoffMost) < 0; doubled++) {
            wait = wait.multipliedBy(2);
        }
        return wait.compareTo(backoffMost) < 0 ? wait : backoffMost;
    }

    /** Whether the known-good kernel is to be started. */
    boolean fallsBack(int crashes) {
        return fallbackCrashes > 0 && crashes >= fallbackCrashes && knownGood.isPresent();
    }
}
