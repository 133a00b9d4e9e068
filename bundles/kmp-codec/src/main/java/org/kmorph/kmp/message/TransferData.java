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
 * KMP_MORPH_TRANSFER_STATE, step DATA: a chunk of a region's state.
 *
 * @param streamOffset what the chunks before it of the same region and round cover
 */
public record TransferData(
        UUID operation, long region, long round, long streamOffset, boolean finalRound, Chunk chunk, List<Item> items)
        implements MorphTransfer {
    public TransferData {
        items = List.copyOf(items);
    }

    static TransferData read(Head head, PayloadReader in) throws MalformedPayloadException {
        Chunk chunk = Chunk.read(head.flags(), head.extentCount(), head.rawLength(), head.dataLength(), in);
        if (chunk.extents().stream().anyMatch(extent -> extent.content() == Extent.Content.UNREADABLE)) {
            throw in.malformed("an unreadable extent in a transfer of state");
        }
        return new TransferData(
                head.operation(),
                head.region(),
                head.round(),
                head.streamOffset(),
                (head.flags() & Chunk.FINAL) != 0,
                chunk,
                Items.read(in));
    }

    @Override
    public void write(PayloadWriter out) {
        new Head(
                        operation,
                        region,
                        round,
                        streamOffset,
                        TransferStep.DATA,
                        chunk.flags() | (finalRound ? Chunk.FINAL : 0),
                        chunk.extents().size(),
                        chunk.rawLength(),
                        chunk.data().remaining(),
                        0)
                .write(out);
        chunk.write(out);
        Items.write(items, out);
    }
}
