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
 * The answer to KMP_MORPH_COMMIT.
 *
 * @param leaseLeftMicros FROZEN: what is left of the lease; else 0
 * @param sinceNanos the answerer's boot time when it came into this state; 0 for UNKNOWN
 */
public record CommitAnswer(
        UUID operation, OperationState state, Verdict verdict, long leaseLeftMicros, long sinceNanos, List<Item> items)
        implements OperationMessage {
    public CommitAnswer {
        items = List.copyOf(items);
    }

    static CommitAnswer read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        OperationState state = in.coded8(OperationState.values());
        Verdict verdict = in.coded8(Verdict.values());
        in.reserved(6);
        long leaseLeftMicros = in.u32();
        in.reserved(4);
        long sinceNanos = in.u64();
        return new CommitAnswer(operation, state, verdict, leaseLeftMicros, sinceNanos, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.MORPH_COMMIT_ANSWER;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .coded8(state)
                .coded8(verdict)
                .reserved(6)
                .u32(leaseLeftMicros)
                .reserved(4)
                .u64(sinceNanos);
        Items.write(items, out);
    }
}
