// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

import java.nio.ByteBuffer;

/** What happens on a connection. Called on the transport's event loop; must not block. */
public interface ConnectionHandler {
    /** It is open. */
    void opened(Connection connection);

    /**
     * Bytes have come. What is not consumed is lost: the buffer is the transport's again on return.
     */
    void received(Connection connection, ByteBuffer bytes);

    /** After {@link Connection#send} had refused: there is room again. */
    void writable(Connection connection);

    /** It is closed, or could not be opened. The last call. */
    void closed(Connection connection, String why);
}
