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
 * The answer to most messages of an operation: where the answerer now stands in it.
 *
 * @param type which message it answers
 * @param verdict where the request asks for one
 */
public record OperationAnswer(MessageType type, UUID operation, OperationState state, Verdict verdict, List<Item> items)
        implements OperationMessage {
    public OperationAnswer {
        if (!type.isWrittenBy(OperationAnswer.class)) {
            throw new IllegalArgumentException(type + " is answered by another message");
        }
        items = List.copyOf(items);
    }

    static OperationAnswer read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        OperationState state = in.coded8(OperationState.values());
        Verdict verdict = in.coded8(Verdict.values());
        in.reserved(6);
        return new OperationAnswer(type, operation, state, verdict, Items.read(in));
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation).coded8(state).coded8(verdict).reserved(6);
        Items.write(items, out);
    }
}
