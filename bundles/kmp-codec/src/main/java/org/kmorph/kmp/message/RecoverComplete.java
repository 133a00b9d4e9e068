// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_RECOVER_COMPLETE: how a recovery ended, and the topology since.
 *
 * @param successorInstance who does its work now, or {@link org.kmorph.kmp.wire.Limits#NO_INSTANCE}
 * @param generation of the topology in the items
 */
public record RecoverComplete(
        UUID operation, long failedInstance, long successorInstance, Outcome outcome, long generation, List<Item> items)
        implements OperationMessage {
    public RecoverComplete {
        items = List.copyOf(items);
    }

    static RecoverComplete read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        long failedInstance = in.u32();
        long successorInstance = in.u32();
        Outcome outcome = in.coded8(Outcome.values());
        in.reserved(7);
        long generation = in.u64();
        return new RecoverComplete(operation, failedInstance, successorInstance, outcome, generation, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.RECOVER_COMPLETE;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .u32(failedInstance)
                .u32(successorInstance)
                .coded8(outcome)
                .reserved(7)
                .u64(generation);
        Items.write(items, out);
    }
}
