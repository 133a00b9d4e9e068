// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.kmorph.vmcore.memory.CachedMemory;
import org.kmorph.vmcore.memory.MissingMemoryException;
import org.kmorph.vmcore.memory.PhysicalMemory;

/**
 * A kernel's virtual memory on x86-64: through its page tables of four or five levels (Intel SDM volume 3, chapter 4), and the mapping of
 * its text, which needs none. A walk takes one step for each level, so tables that point at themselves end it too. One thread.
 */
public final class AddressSpace {
    /** __START_KERNEL_map. */
    public static final long TEXT_MAP = 0xffffffff80000000L;

    private static final long TEXT_SIZE = 0x40000000L;
    private static final long FRAME = 0x000ffffffffff000L;
    private static final int TLB = 4096;

    private final CachedMemory memory;
    private final long physBase;
    private final int levels;
    private final long root;
    private final long[] tlbPage = new long[TLB];
    private final long[] tlbFrame = new long[TLB];

    public AddressSpace(PhysicalMemory memory, Vmcoreinfo info) throws UnknownKernelException {
        this.memory = new CachedMemory(memory);
        this.physBase = info.need("NUMBER(phys_base)");
        this.levels = info.number("NUMBER(pgtable_l5_enabled)").orElse(0) == 1 ? 5 : 4;
        this.root = info.need("SYMBOL(swapper_pg_dir)") - TEXT_MAP + physBase;
    }

    /** Where a virtual address is in physical memory. @throws MissingMemoryException when it is not mapped */
    public long physical(long address) throws IOException {
        if (address - TEXT_MAP >= 0 && address - TEXT_MAP < TEXT_SIZE) {
            return address - TEXT_MAP + physBase;
        }
        long page = address >>> 12;
        int slot = (int) (page & (TLB - 1));
        if (page != 0 && tlbPage[slot] == page) {
            return tlbFrame[slot] | (address & 4095);
        }
        long table = root;
        for (int level = levels; level >= 1; level--) {
            int shift = 12 + 9 * (level - 1);
            long entry = memory.word(table + ((address >>> shift) & 511) * 8);
            if ((entry & 1) == 0) {
                break;
            }
            long base = entry & FRAME;
            if (level == 1 || (level <= 3 && (entry & 0x80) != 0)) {
                long mask = (1L << shift) - 1;
                long found = (base & ~mask) | (address & mask);
                tlbPage[slot] = page;
                tlbFrame[slot] = found & ~4095L;
                return found;
            }
            table = base;
        }
        throw new MissingMemoryException("address 0x" + Long.toHexString(address) + " is not mapped");
    }

    public void read(long address, byte[] into, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            long at = physical(address + done);
            int part = Math.min(length - done, PhysicalMemory.PAGE - (int) (at & 4095));
            // what follows in physical memory too is read at once
            while (done + part < length && physical(address + done + part) == at + part) {
                part += Math.min(length - done - part, PhysicalMemory.PAGE);
            }
            memory.read(at, into, offset + done, part);
            done += part;
        }
    }

    /** Little-endian bytes at an address; {@code length} is the caller's to bound. */
    public ByteBuffer bytes(long address, int length) throws IOException {
        byte[] bytes = new byte[length];
        read(address, bytes, 0, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    public long u64(long address) throws IOException {
        if ((address & 4095) > 4088) {
            return bytes(address, 8).getLong();
        }
        return memory.word(physical(address));
    }

    public int u32(long address) throws IOException {
        return (address & 4095) > 4088 ? bytes(address, 4).getInt() : (int) u64(address);
    }

    public int u16(long address) throws IOException {
        return u32(address) & 0xffff;
    }

    public int u8(long address) throws IOException {
        return u32(address) & 0xff;
    }

    /** Text up to a zero byte, or of the length given. */
    public String text(long address, int most) throws IOException {
        byte[] bytes = new byte[most];
        int length = 0;
        while (length < most) {
            int part = Math.min(most - length, 4096 - (int) ((address + length) & 4095));
            read(address + length, bytes, length, part);
            for (int end = length + part; length < end; length++) {
                if (bytes[length] == 0) {
                    return new String(bytes, 0, length, StandardCharsets.UTF_8);
                }
            }
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }
}
