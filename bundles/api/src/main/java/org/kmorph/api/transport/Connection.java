// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ProviderType;

/** A byte stream. Thread-safe. */
@ProviderType
public interface Connection {
    /**
     * Takes all of the bytes for sending, or none of them. The buffer is copied from and is the caller's again on return.
     *
     * @return false when the peer does not keep up and the connection's bounded queue is full, or it is not open:
     *     {@link ConnectionHandler#writable} tells when to try again
     */
    boolean send(ByteBuffer bytes);

    /** Closes it, if it is open. {@link ConnectionHandler#closed} is called once, whoever closes. */
    void close(String why);
}
