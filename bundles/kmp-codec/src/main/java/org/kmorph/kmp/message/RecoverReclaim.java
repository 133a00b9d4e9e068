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
 * KMP_RECOVER_RECLAIM: an instance is fenced; what it had is now whose the items say.
 *
 * @param generation of the topology after this
 */
public record RecoverReclaim(UUID operation, long failedInstance, long generation, List<Item> items)
        implements OperationMessage {
    public RecoverReclaim {
        items = List.copyOf(items);
    }

    static RecoverReclaim read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        long failedInstance = in.u32();
        in.reserved(4);
        long generation = in.u64();
        return new RecoverReclaim(operation, failedInstance, generation, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.RECOVER_RECLAIM;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation).u32(failedInstance).reserved(4).u64(generation);
        Items.write(items, out);
    }
}
