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
 * KMP_RECOVER_PREPARE: an instance is about to be fenced; stop dealing with it.
 *
 * @param failedBootId the boot that failed; 0 if it was never heard
 * @param generation of the topology that the receiver should have
 */
public record RecoverPrepare(
        UUID operation, long failedInstance, Cause cause, long failedBootId, long generation, List<Item> items)
        implements OperationMessage {
    public RecoverPrepare {
        items = List.copyOf(items);
    }

    static RecoverPrepare read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        long failedInstance = in.u32();
        Cause cause = in.coded16(Cause.values());
        in.reserved(2);
        long failedBootId = in.u64();
        long generation = in.u64();
        return new RecoverPrepare(operation, failedInstance, cause, failedBootId, generation, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.RECOVER_PREPARE;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .u32(failedInstance)
                .coded16(cause)
                .reserved(2)
                .u64(failedBootId)
                .u64(generation);
        Items.write(items, out);
    }
}
