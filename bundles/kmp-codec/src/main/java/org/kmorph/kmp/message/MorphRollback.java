// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** KMP_MORPH_ROLLBACK: undoes quiesce and prepare. */
public record MorphRollback(UUID operation, Cause cause, List<Item> items) implements OperationMessage {
    public MorphRollback {
        items = List.copyOf(items);
    }

    static MorphRollback read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        Cause cause = in.coded16(Cause.values());
        in.reserved(2);
        in.reserved(4);
        return new MorphRollback(operation, cause, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.MORPH_ROLLBACK;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation).coded16(cause).reserved(2).reserved(4);
        Items.write(items, out);
    }
}
