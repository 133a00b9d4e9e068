// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.HealthStatus;
import org.kmorph.kmp.message.Message;

/**
 * What comes from an agent unasked, and heartbeats. Called on the transport's event loop, one call at a time for each connection, and
 * for {@link #connected} and {@link #lost} by any thread, in their order; must not block. What it throws on the event loop costs the
 * connection.
 */
public interface SessionListener {
    /** A connection was made. */
    default void connected() {}

    /** There is no connection any more, or one could not be made. */
    default void lost(String why) {}

    /**
     * A heartbeat was answered.
     *
     * @param heartbeat of use during the call only
     */
    default void heartbeat(HeartbeatReceipt heartbeat) {}

    /** The agent reports a trouble, or its end; it has the instance id that is expected. */
    default void healthStatus(HealthStatus status) {}

    /**
     * The agent asks for something: MORPH_TRANSFER_STATE data and end, VMCORE_DATA, VMCORE_COMPLETE; the daemon answers no other kind.
     *
     * @param request the data of a chunk in it is a view of the frame and of use during the call only
     * @param reply to be used once, now or later, from any thread
     */
    default void request(Message request, Reply reply) {
        reply.error(ErrorCode.UNKNOWN_OPERATION, 0, "nothing of the kind is under way here");
    }
}
