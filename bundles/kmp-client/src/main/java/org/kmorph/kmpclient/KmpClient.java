// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.time.Duration;
import org.kmorph.api.transport.Endpoint;
import org.osgi.annotation.versioning.ProviderType;

/** Makes sessions to agents. A service. Thread-safe. */
@ProviderType
public interface KmpClient {
    /** How long a connection may take to be made, where nobody says otherwise. */
    Duration CONNECT_DEADLINE = Duration.ofSeconds(5);

    /**
     * Opens a session. Nothing is sent and no connection is made before the first request or heartbeat.
     *
     * @param peer where the agent listens; its transport is found when a connection is made, and again for each further one
     * @param instanceId what the agent must call itself: one that says otherwise is dropped
     * @param connectDeadline how long a connection may take to be made
     */
    KmpSession open(Endpoint peer, long instanceId, Duration connectDeadline, SessionListener listener);

    /** The same with {@link #CONNECT_DEADLINE}. */
    default KmpSession open(Endpoint peer, long instanceId, SessionListener listener) {
        return open(peer, instanceId, CONNECT_DEADLINE, listener);
    }
}
