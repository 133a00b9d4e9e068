// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

import java.time.Duration;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Byte streams to kernels of one scheme. Register it as a service. It runs one event loop for all its connections: handlers are
 * called on it, one at a time for each connection, and must not block.
 */
@ProviderType
public interface Transport {
    /** The scheme of the endpoints that it reaches. */
    String scheme();

    /**
     * Begins to connect, and returns at once. Thread-safe.
     *
     * @param deadline how long until it is given up, reported as {@link ConnectionHandler#closed}
     */
    Connection connect(Endpoint peer, Duration deadline, ConnectionHandler handler);
}
