// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

import org.osgi.annotation.versioning.ProviderType;

/** Takes the connections that peers make, as long as it is open. Thread-safe. */
@ProviderType
public interface Listener extends AutoCloseable {
    /** Takes no more, and gives the address free soon. Connections that there are go on. Idempotent. */
    @Override
    void close();
}
