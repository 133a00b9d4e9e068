// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * The answer to VMCORE_START, VMCORE_DATA and MORPH_TRANSFER_STATE.
 *
 * @param type which message it answers
 * @param streamOffset everything before it has been received, or will not be sent
 * @param estimateBytes answering START and PULL: how much will be covered, as far as is known; else 0
 * @param windowBytes answering DATA: how much data may be unacknowledged from now on; else 0
 */
public record Acknowledgement(
        MessageType type,
        UUID operation,
        OperationState state,
        Verdict verdict,
        long streamOffset,
        long estimateBytes,
        long windowBytes,
        List<Item> items)
        implements OperationMessage {
    public Acknowledgement {
        if (!type.isWrittenBy(Acknowledgement.class)) {
            throw new IllegalArgumentException(type + " is answered by another message");
        }
        items = List.copyOf(items);
    }

    static Acknowledgement read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        OperationState state = in.coded8(OperationState.values());
        Verdict verdict = in.coded8(Verdict.values());
        in.reserved(6);
        long streamOffset = in.u64();
        long estimateBytes = in.u64();
        long windowBytes = in.u32();
        in.reserved(4);
        return new Acknowledgement(
                type, operation, state, verdict, streamOffset, estimateBytes, windowBytes, Items.read(in));
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .coded8(state)
                .coded8(verdict)
                .reserved(6)
                .u64(streamOffset)
                .u64(estimateBytes)
                .u32(windowBytes)
                .reserved(4);
        Items.write(items, out);
    }
}
