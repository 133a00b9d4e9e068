// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;
import org.kmorph.vmcore.kernel.AddressSpace;
import org.kmorph.vmcore.kernel.UnknownKernelException;
import org.kmorph.vmcore.kernel.Vmcoreinfo;
import org.kmorph.vmcore.memory.MissingMemoryException;
import org.kmorph.vmcore.memory.PhysicalMemory;

/**
 * Leaves out pages by what the kernel used them for, at the levels that makedumpfile's manual page defines: the sum of 1 (zero pages),
 * 2 (cache without private data), 4 (cache with it), 8 (user data), 16 (free). Pages of zeros are the writers' matter. Works on the
 * sparse memory model, whose layout VMCOREINFO tells. One thread for each instance.
 *
 * <p>A kernel has one struct page for each frame, 16 MiB of them for each GiB: they are read in large pieces, and looked at as words.
 */
final class PageFilter {
    private static final int CACHE = 2;
    private static final int CACHE_PRIVATE = 4;
    private static final int USER = 8;
    private static final int FREE = 16;
    private static final int SECTION_BYTES = 16;

    /** Bytes of struct pages that are read at once, at most. */
    private static final int PIECE = 1 << 17;

    private static final int WORD = 8;

    private final AddressSpace space;
    private final ByteBuffer piece = ByteBuffer.allocate(PIECE).order(ByteOrder.LITTLE_ENDIAN);
    private final long[] structs = new long[PIECE / WORD];
    private final int level;
    private final int pageSize;
    private final int flagsAt;
    private final int mappingAt;
    private final int mapcountAt;
    private final int privateAt;
    private final int headAt;
    private final int orderAt;
    private final int dtorAt;
    private final long lru;
    private final long privateBit;
    private final long swapCache;
    private final long swapBacked;
    private final long slabBit;
    private final long poison;
    private final long headMask;
    private final int buddy;
    private final OptionalLong slabType;
    private final OptionalLong offline;
    private final OptionalLong hugeType;
    private final OptionalLong hugeDtor;
    private final int framesPerSection;
    private final long roots;

    PageFilter(PhysicalMemory memory, Vmcoreinfo info, int level) throws IOException {
        space = new AddressSpace(memory, info);
        this.level = level;
        pageSize = offset(info.need("SIZE(page)"));
        flagsAt = word(info.need("OFFSET(page.flags)"));
        mappingAt = word(info.need("OFFSET(page.mapping)"));
        mapcountAt = offset(info.need("OFFSET(page._mapcount)"));
        privateAt = word(info.need("OFFSET(page.private)"));
        headAt = word(info.need("OFFSET(page.compound_head)"));
        // since 6.6 the order is the low byte of the second page's flags, and there is no destructor
        orderAt = offset(info.number("OFFSET(page.compound_order)").orElse(flagsAt));
        dtorAt = offset(info.number("OFFSET(page.compound_dtor)").orElse(0));
        lru = bit(info, "PG_lru");
        privateBit = bit(info, "PG_private");
        swapCache = bit(info, "PG_swapcache");
        swapBacked = bit(info, "PG_swapbacked");
        slabBit = info.number("NUMBER(PG_slab)").isPresent() ? bit(info, "PG_slab") : 0;
        poison = info.number("NUMBER(PG_hwpoison)").isPresent() ? bit(info, "PG_hwpoison") : 0;
        headMask = info.need("NUMBER(PG_head_mask)");
        buddy = (int) info.need("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)");
        slabType = info.number("NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)");
        offline = info.number("NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)");
        hugeType = info.number("NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)");
        hugeDtor = info.number("NUMBER(HUGETLB_PAGE_DTOR)");
        long bits = info.need("NUMBER(SECTION_SIZE_BITS)");
        if (pageSize < 56
                || pageSize > 256
                || pageSize % WORD != 0
                || mapcountAt % 4 != 0
                || bits < 20
                || bits > 36
                || info.need("SIZE(mem_section)") != SECTION_BYTES) {
            throw new UnknownKernelException("the kernel's memory map is of a layout that is not known: SIZE(page)="
                    + pageSize + ", SECTION_SIZE_BITS=" + bits);
        }
        framesPerSection = 1 << bits - 12;
        roots = info.need("SYMBOL(mem_section)");
    }

    private int offset(long value) throws UnknownKernelException {
        if (value < 0 || value > 256) {
            throw new UnknownKernelException("the kernel tells an offset of " + value + " in struct page");
        }
        return (int) value;
    }

    private int word(long value) throws UnknownKernelException {
        int offset = offset(value);
        if (offset % WORD != 0) {
            throw new UnknownKernelException("the kernel tells an offset of " + value + " for a word of struct page");
        }
        return offset;
    }

    private static long bit(Vmcoreinfo info, String name) throws UnknownKernelException {
        return 1L << (info.need("NUMBER(" + name + ")") & 63);
    }

    int framesPerSection() {
        return framesPerSection;
    }

    /** Removes from {@code kept} what the level leaves out of one section. @throws IOException when the memory map cannot be read */
    void section(long section, FrameSet kept) throws IOException {
        int perRoot = PhysicalMemory.PAGE / SECTION_BYTES;
        long root;
        long map;
        try {
            root = space.u64(roots + 8 * (section / perRoot));
            if (root == 0) {
                return;
            }
            map = space.u64(root + SECTION_BYTES * (section % perRoot));
        } catch (MissingMemoryException e) {
            throw new IOException("the memory map of section " + section + " cannot be read: " + e.getMessage(), e);
        }
        if ((map & 2) == 0) {
            return;
        }
        // encoded as the map's address less what its first page's number would add; flags in the low bits
        long base = map & ~0x1fL;
        long first = section * framesPerSection;
        long last = Math.min(kept.limit(), first + framesPerSection);
        for (long frame = first; frame < last; ) {
            long at = base + frame * pageSize;
            int count = (int) Math.min(last - frame, PIECE / pageSize);
            if (!read(at, count)) {
                // holes of a section have no map, a page at least
                count = Math.min(count, Math.max(1, (PhysicalMemory.PAGE - (int) (at & 4095)) / pageSize));
                if (!read(at, count)) {
                    frame += count;
                    continue;
                }
            }
            for (int i = 0; i < count; ) {
                i += one(i, count, frame + i, kept);
            }
            frame += count;
        }
    }

    /** Reads struct pages. @return whether all are there */
    private boolean read(long at, int count) throws IOException {
        try {
            space.read(at, piece.array(), 0, count * pageSize);
        } catch (MissingMemoryException e) {
            return false;
        }
        piece.asLongBuffer().get(structs, 0, count * pageSize / WORD);
        return true;
    }

    /** @return how many frames were decided */
    private int one(int index, int count, long frame, FrameSet kept) {
        int at = index * pageSize;
        if ((structs[at + headAt >> 3] & 1) != 0) {
            return 1;
        }
        long flags = structs[at + flagsAt >> 3];
        int mapcount = (int) (structs[at + mapcountAt >> 3] >>> (mapcountAt & 4) * 8);
        long frames = 1;
        boolean huge = false;
        if ((flags & headMask) == headMask && index + 1 < count) {
            int order = u8(at + pageSize + orderAt);
            if (order < 20 && (frame & (1L << order) - 1) == 0) {
                frames = 1L << order;
            }
            huge = hugeType.isPresent()
                    ? mapcount == (int) hugeType.getAsLong()
                    : hugeDtor.isPresent() && u8(at + pageSize + dtorAt) == hugeDtor.getAsLong();
        }
        boolean slab = (flags & slabBit) != 0 || slabType.isPresent() && mapcount == (int) slabType.getAsLong();
        if ((level & FREE) != 0 && !slab && mapcount == buddy) {
            frames = 1L << (structs[at + privateAt >> 3] & 15);
        } else if (!left(flags, mapcount, structs[at + mappingAt >> 3], slab, huge)) {
            return 1;
        }
        kept.remove(frame, frame + frames);
        return (int) Math.min(frames, count - index);
    }

    private int u8(int at) {
        return (int) (structs[at >> 3] >>> (at & 7) * 8) & 255;
    }

    private boolean left(long flags, int mapcount, long mapping, boolean slab, boolean huge) {
        boolean anonymous = (mapping & 1) != 0 && !slab;
        boolean cache = (flags & lru) != 0 || (flags & swapCache) != 0 && (flags & swapBacked) != 0;
        if ((level & CACHE) != 0 && cache && (flags & privateBit) == 0 && !anonymous) {
            return true;
        }
        if ((level & CACHE_PRIVATE) != 0 && cache && !anonymous) {
            return true;
        }
        if ((level & USER) != 0 && (anonymous || huge)) {
            return true;
        }
        return (flags & poison) != 0 || offline.isPresent() && mapcount == (int) offline.getAsLong();
    }
}
