// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * A message of KMP, without the frame around it. Immutable. The records' components stand in wire order; u32 is a
 * {@code long}, u64 a {@code long} of the same bits.
 */
public sealed interface Message
        permits HeartbeatRequest, HeartbeatAnswer, HealthStatus, OperationMessage, ErrorAnswer, RetryAnswer {
    /** Its msg_type. */
    MessageType type();

    /** What follows its fixed structure, unknown items left out. */
    List<Item> items();

    /**
     * Writes its payload.
     *
     * @throws IllegalArgumentException for a value that its field cannot hold
     * @throws java.nio.BufferOverflowException when the buffer is too small
     */
    void write(PayloadWriter out);
}
