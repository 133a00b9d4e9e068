// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.analysis;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.UnknownKernelException;
import org.kmorph.vmcore.kernel.Vmcoreinfo;

/** The kernel's log: the ring buffer of kernel/printk/printk_ringbuffer.c, since Linux 5.10, whose layout VMCOREINFO tells. */
public final class Dmesg {
    private static final long ID_MASK = (1L << 62) - 1;
    private static final int MOST_RECORDS = 1 << 20;
    private static final int MOST_BYTES = 1 << 26;

    private Dmesg() {}

    /**
     * A line of the log.
     *
     * @param nanos since the kernel's start
     */
    public record Line(long nanos, String text) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "[%5d.%06d] %s", nanos / 1_000_000_000L, nanos / 1000 % 1_000_000, text);
        }
    }

    /** All lines, oldest first. @throws IOException when the ring cannot be read */
    public static List<Line> read(AddressSpace space, Vmcoreinfo info) throws IOException {
        long ring = space.u64(info.need("SYMBOL(prb)"));
        long descriptors = ring + info.need("OFFSET(printk_ringbuffer.desc_ring)");
        long texts = ring + info.need("OFFSET(printk_ringbuffer.text_data_ring)");
        int countBits = space.u32(descriptors + info.need("OFFSET(prb_desc_ring.count_bits)"));
        int sizeBits = space.u32(texts + info.need("OFFSET(prb_data_ring.size_bits)"));
        int descriptorSize = (int) info.need("SIZE(prb_desc)");
        int infoSize = (int) info.need("SIZE(printk_info)");
        if (countBits < 1
                || sizeBits < 1
                || 1L << Math.min(countBits, 40) > MOST_RECORDS
                || 1L << Math.min(sizeBits, 40) > MOST_BYTES
                || descriptorSize < 24
                || descriptorSize > 256
                || infoSize < 16
                || infoSize > 1024) {
            throw new UnknownKernelException(
                    "the kernel's log claims 2^" + countBits + " records and 2^" + sizeBits + " bytes");
        }
        int count = 1 << countBits;
        ByteBuffer all =
                space.bytes(space.u64(descriptors + info.need("OFFSET(prb_desc_ring.descs)")), count * descriptorSize);
        long infos = space.u64(descriptors + info.need("OFFSET(prb_desc_ring.infos)"));
        long head = space.u64(descriptors + info.need("OFFSET(prb_desc_ring.head_id)"));
        long tail = space.u64(descriptors + info.need("OFFSET(prb_desc_ring.tail_id)"));
        ByteBuffer data = space.bytes(space.u64(texts + info.need("OFFSET(prb_data_ring.data)")), 1 << sizeBits);
        int stateAt = (int) info.need("OFFSET(prb_desc.state_var)");
        int blockAt = (int) info.need("OFFSET(prb_desc.text_blk_lpos)");
        long timeAt = info.need("OFFSET(printk_info.ts_nsec)");
        long lengthAt = info.need("OFFSET(printk_info.text_len)");
        if (stateAt < 0 || stateAt > descriptorSize - 8 || blockAt < 0 || blockAt > descriptorSize - 16) {
            throw new UnknownKernelException("the layout that the kernel tells of its log makes no sense");
        }
        List<Line> lines = new ArrayList<>();
        long id = tail & ID_MASK;
        for (int i = 0; i < count; i++) {
            int slot = (int) (id & (count - 1));
            long state = all.getLong(slot * descriptorSize + stateAt);
            // committed or finalized, and of this round
            if ((state & ID_MASK) == id && (state >>> 62 == 1 || state >>> 62 == 2)) {
                long record = infos + (long) slot * infoSize;
                int block = slot * descriptorSize + blockAt;
                String text = text(data, all.getLong(block), all.getLong(block + 8), space.u16(record + lengthAt));
                long nanos = space.u64(record + timeAt);
                text.lines().forEach(line -> lines.add(new Line(nanos, line)));
            }
            if (id == (head & ID_MASK)) {
                break;
            }
            id = (id + 1) & ID_MASK;
        }
        return lines;
    }

    private static String text(ByteBuffer data, long begin, long next, int length) {
        int size = data.capacity();
        if ((begin & next & 1) != 0) {
            return "";
        }
        int from = (int) (begin & (size - 1));
        int to = (int) (next & (size - 1));
        if (Long.divideUnsigned(begin, size) != Long.divideUnsigned(next, size)) {
            // a block that would have wrapped is whole at the start
            from = to == 0 ? from : 0;
            to = to == 0 ? size : to;
        }
        int available = Math.min(length, to - from - 8);
        if (available <= 0) {
            return "";
        }
        byte[] bytes = new byte[available];
        data.get(from + 8, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
