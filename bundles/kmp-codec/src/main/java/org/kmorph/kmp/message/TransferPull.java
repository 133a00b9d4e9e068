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
 * KMP_MORPH_TRANSFER_STATE, step PULL: the receiver asks for a round, or for the rest of one.
 *
 * @param region one, or {@link org.kmorph.kmp.wire.Limits#ALL_REGIONS}
 * @param streamOffset 0, or where to go on
 * @param windowBytes 1 to {@link org.kmorph.kmp.wire.Limits#MAX_WINDOW_BYTES}
 */
public record TransferPull(
        UUID operation,
        long region,
        long round,
        long streamOffset,
        boolean finalRound,
        long windowBytes,
        List<Item> items)
        implements MorphTransfer {
    public TransferPull {
        items = List.copyOf(items);
    }

    static TransferPull read(Head head, PayloadReader in) throws MalformedPayloadException {
        Chunk.checkWindow(in, head.windowBytes());
        return new TransferPull(
                head.operation(),
                head.region(),
                head.round(),
                head.streamOffset(),
                (head.flags() & Chunk.FINAL) != 0,
                head.windowBytes(),
                Items.read(in));
    }

    @Override
    public void write(PayloadWriter out) {
        int flags = finalRound ? Chunk.FINAL : 0;
        new Head(operation, region, round, streamOffset, TransferStep.PULL, flags, 0, 0, 0, windowBytes).write(out);
        Items.write(items, out);
    }
}
