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
 * KMP_VMCORE_START: read a share of a dead instance's memory, the items' ranges in their order.
 *
 * @param share from 0
 * @param windowBytes 1 to {@link org.kmorph.kmp.wire.Limits#MAX_WINDOW_BYTES}
 * @param streamOffset 0, or where to go on
 * @param rateBytesPerSecond to be read at most; 0 for no limit
 */
public record VmcoreStart(
        UUID operation,
        long deadInstance,
        long share,
        long windowBytes,
        Compression compression,
        long streamOffset,
        long rateBytesPerSecond,
        List<Item> items)
        implements OperationMessage {
    public VmcoreStart {
        items = List.copyOf(items);
    }

    static VmcoreStart read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        long deadInstance = in.u32();
        long share = in.u32();
        long windowBytes = in.u32();
        Compression compression = in.coded8(Compression.values());
        in.reserved(3);
        long streamOffset = in.u64();
        long rateBytesPerSecond = in.u64();
        Chunk.checkWindow(in, windowBytes);
        return new VmcoreStart(
                operation,
                deadInstance,
                share,
                windowBytes,
                compression,
                streamOffset,
                rateBytesPerSecond,
                Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.VMCORE_START;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .u32(deadInstance)
                .u32(share)
                .u32(windowBytes)
                .coded8(compression)
                .reserved(3)
                .u64(streamOffset)
                .u64(rateBytesPerSecond);
        Items.write(items, out);
    }
}
