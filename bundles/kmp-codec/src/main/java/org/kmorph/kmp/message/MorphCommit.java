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
 * KMP_MORPH_COMMIT.
 *
 * @param timeMicros QUIESCE, HAND_OVER: the lease, at least 1; RETIRE: the grace before SIGKILL; else 0
 */
public record MorphCommit(UUID operation, CommitPhase phase, long timeMicros, List<Item> items)
        implements OperationMessage {
    public MorphCommit {
        items = List.copyOf(items);
    }

    static MorphCommit read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        CommitPhase phase = in.coded8(CommitPhase.values());
        in.reserved(3);
        long timeMicros = in.u32();
        if ((phase == CommitPhase.QUIESCE || phase == CommitPhase.HAND_OVER) && timeMicros == 0) {
            throw in.malformed("a lease of 0 microseconds");
        }
        return new MorphCommit(operation, phase, timeMicros, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.MORPH_COMMIT;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation).coded8(phase).reserved(3).u32(timeMicros);
        Items.write(items, out);
    }
}
