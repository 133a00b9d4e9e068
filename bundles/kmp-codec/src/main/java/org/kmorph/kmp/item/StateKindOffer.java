// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * A kind of state that a workload has, or that a target takes.
 *
 * @param kind see {@link StateKind}; unknown ones are kept
 * @param versionMin of its layout
 * @param versionMax the same as {@code versionMin} where one was chosen
 * @param count regions of it
 * @param bytes their sum
 */
public record StateKindOffer(int kind, int versionMin, int versionMax, long count, long bytes) implements Item {
    static StateKindOffer read(PayloadReader in) throws MalformedPayloadException {
        int kind = in.u16();
        int versionMin = in.u16();
        int versionMax = in.u16();
        in.reserved(2);
        long count = in.u32();
        in.reserved(4);
        long bytes = in.u64();
        return new StateKindOffer(kind, versionMin, versionMax, count, bytes);
    }

    @Override
    public int typeCode() {
        return 0x0010;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u16(kind);
        out.u16(versionMin);
        out.u16(versionMax);
        out.reserved(2);
        out.u32(count);
        out.reserved(4);
        out.u64(bytes);
    }
}
