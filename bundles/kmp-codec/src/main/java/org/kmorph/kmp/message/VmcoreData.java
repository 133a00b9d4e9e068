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
 * KMP_VMCORE_DATA: a chunk of a dead instance's memory; its extents' offsets are physical addresses.
 *
 * @param streamOffset what the share's chunks before it cover
 */
public record VmcoreData(UUID operation, long share, long streamOffset, Chunk chunk, List<Item> items)
        implements OperationMessage {
    public VmcoreData {
        items = List.copyOf(items);
    }

    static VmcoreData read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        long share = in.u32();
        int flags = in.u16();
        int extentCount = in.u16();
        long streamOffset = in.u64();
        long rawLength = in.u32();
        Chunk chunk = Chunk.read(flags, extentCount, rawLength, in.u32(), in);
        return new VmcoreData(operation, share, streamOffset, chunk, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.VMCORE_DATA;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .u32(share)
                .u16(chunk.flags())
                .u16(chunk.extents().size());
        out.u64(streamOffset).u32(chunk.rawLength()).u32(chunk.data().remaining());
        chunk.write(out);
        Items.write(items, out);
    }
}
