// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * A region of a workload's state.
 *
 * @param kind see {@link StateKind}
 * @param version of its layout; 0 before one was chosen
 */
public record Region(long region, int kind, int version, long bytes, String name) implements Item {
    static Region read(PayloadReader in) throws MalformedPayloadException {
        long region = in.u32();
        int kind = in.u16();
        int version = in.u16();
        long bytes = in.u64();
        String name = in.text(Limits.MAX_NAME_BYTES);
        return new Region(region, kind, version, bytes, name);
    }

    @Override
    public int typeCode() {
        return 0x0011;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(region);
        out.u16(kind);
        out.u16(version);
        out.u64(bytes);
        out.text(name, Limits.MAX_NAME_BYTES);
    }
}
