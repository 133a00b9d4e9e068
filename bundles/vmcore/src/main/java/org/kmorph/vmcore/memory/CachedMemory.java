// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.memory;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Reads of any length at any physical address, through a cache of fixed size. One thread. */
public final class CachedMemory {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int SLOTS = 1024;

    private final PhysicalMemory memory;
    private final long[] frames = new long[SLOTS];
    private final byte[][] pages = new byte[SLOTS][];

    public CachedMemory(PhysicalMemory memory) {
        this.memory = memory;
        Arrays.fill(frames, -1);
    }

    public PhysicalMemory memory() {
        return memory;
    }

    /** Copies {@code length} bytes at a physical address. @throws MissingMemoryException when some of it is not there */
    public void read(long address, byte[] into, int offset, int length) throws IOException {
        if (length > PhysicalMemory.PAGE && memory.copy(address, into, offset, length)) {
            return;
        }
        int done = 0;
        while (done < length) {
            int within = (int) ((address + done) & (PhysicalMemory.PAGE - 1));
            int part = Math.min(length - done, PhysicalMemory.PAGE - within);
            System.arraycopy(page((address + done) >>> 12), within, into, offset + done, part);
            done += part;
        }
    }

    /** The little-endian 64 bit at a physical address, which must not cross a page. */
    public long word(long address) throws IOException {
        int within = (int) (address & (PhysicalMemory.PAGE - 1));
        if (within > PhysicalMemory.PAGE - 8) {
            byte[] bytes = new byte[8];
            read(address, bytes, 0, 8);
            return (long) LONG.get(bytes, 0);
        }
        return (long) LONG.get(page(address >>> 12), within);
    }

    private byte[] page(long frame) throws IOException {
        int slot = (int) ((frame ^ (frame >>> 10)) & (SLOTS - 1));
        if (frames[slot] == frame) {
            return pages[slot];
        }
        byte[] page = pages[slot] == null ? new byte[PhysicalMemory.PAGE] : pages[slot];
        frames[slot] = -1;
        pages[slot] = page;
        if (!memory.page(frame, page)) {
            throw new MissingMemoryException("physical page 0x" + Long.toHexString(frame << 12) + " is not there");
        }
        frames[slot] = frame;
        return page;
    }
}
