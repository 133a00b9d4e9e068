// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * Processors that follow each other.
 *
 * @param owner an instance id, or {@link org.kmorph.kmp.wire.Limits#NO_INSTANCE} for the pool
 */
public record CpuRange(long first, long count, long owner) implements Item {
    static CpuRange read(PayloadReader in) throws MalformedPayloadException {
        long first = in.u32();
        long count = in.u32();
        long owner = in.u32();
        return new CpuRange(first, count, owner);
    }

    @Override
    public int typeCode() {
        return 0x0021;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(first);
        out.u32(count);
        out.u32(owner);
    }
}
