// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** KMP_MORPH_VALIDATE, to the target. */
public record MorphValidate(UUID operation, ValidateScope scope, List<Item> items) implements OperationMessage {
    public MorphValidate {
        items = List.copyOf(items);
    }

    static MorphValidate read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        ValidateScope scope = in.coded8(ValidateScope.values());
        in.reserved(7);
        return new MorphValidate(operation, scope, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.MORPH_VALIDATE;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation).coded8(scope).reserved(7);
        Items.write(items, out);
    }
}
