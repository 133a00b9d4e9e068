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
 * KMP_VMCORE_COMPLETE: a share is over, or, from the daemon, is to be stopped.
 *
 * @param streamBytes what all its chunks cover
 * @param unreadableBytes of those
 */
public record VmcoreComplete(
        UUID operation, long share, Outcome outcome, long streamBytes, long unreadableBytes, List<Item> items)
        implements OperationMessage {
    public VmcoreComplete {
        items = List.copyOf(items);
    }

    static VmcoreComplete read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        long share = in.u32();
        Outcome outcome = in.coded8(Outcome.values());
        in.reserved(3);
        long streamBytes = in.u64();
        long unreadableBytes = in.u64();
        return new VmcoreComplete(operation, share, outcome, streamBytes, unreadableBytes, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.VMCORE_COMPLETE;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .u32(share)
                .coded8(outcome)
                .reserved(3)
                .u64(streamBytes)
                .u64(unreadableBytes);
        Items.write(items, out);
    }
}
