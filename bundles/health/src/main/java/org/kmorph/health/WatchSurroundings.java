// SPDX-License-Identifier: Apache-2.0
package org.kmorph.health;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.kmorph.api.health.Health;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.time.TimeSource;
import org.kmorph.api.transport.Transport.Reach;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.SessionListener;

/**
 * What all watches stand on.
 *
 * @param lateness by how much the monitor's timer was late, all together since it began, in nanoseconds
 */
record WatchSurroundings(TimeSource time, LongSupplier lateness, Crowd crowd, Sessions sessions, Tell tell) {

    /** Ways to an instance. */
    interface Sessions {
        KmpSession open(Instance instance, SessionListener listener);

        /** Asks the kernel below the agent. Fails where it cannot be asked. */
        CompletableFuture<Reach> probe(Instance instance, Duration deadline);
    }

    /** Who is told. */
    interface Tell {
        void changed(Watch watch, Health before, String reason);

        void troubled(Watch watch, String trouble);

        void rebooted(Watch watch);
    }
}
