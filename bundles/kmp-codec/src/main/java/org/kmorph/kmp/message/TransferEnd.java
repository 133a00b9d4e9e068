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
 * KMP_MORPH_TRANSFER_STATE, step END: a region's round is over. Its items have the region's digest.
 *
 * @param streamOffset what the region's chunks of this round cover
 */
public record TransferEnd(
        UUID operation, long region, long round, long streamOffset, boolean finalRound, List<Item> items)
        implements MorphTransfer {
    public TransferEnd {
        items = List.copyOf(items);
    }

    static TransferEnd read(Head head, PayloadReader in) throws MalformedPayloadException {
        return new TransferEnd(
                head.operation(),
                head.region(),
                head.round(),
                head.streamOffset(),
                (head.flags() & Chunk.FINAL) != 0,
                Items.read(in));
    }

    @Override
    public void write(PayloadWriter out) {
        int flags = finalRound ? Chunk.FINAL : 0;
        new Head(operation, region, round, streamOffset, TransferStep.END, flags, 0, 0, 0, 0).write(out);
        Items.write(items, out);
    }
}
