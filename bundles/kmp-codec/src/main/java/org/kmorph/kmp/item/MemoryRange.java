// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * A range of physical memory.
 *
 * @param owner an instance id, or {@link org.kmorph.kmp.wire.Limits#NO_INSTANCE} for the pool
 */
public record MemoryRange(long start, long length, long owner) implements Item {
    static MemoryRange read(PayloadReader in) throws MalformedPayloadException {
        long start = in.u64();
        long length = in.u64();
        long owner = in.u32();
        in.reserved(4);
        return new MemoryRange(start, length, owner);
    }

    @Override
    public int typeCode() {
        return 0x0020;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u64(start);
        out.u64(length);
        out.u32(owner);
        out.reserved(4);
    }
}
