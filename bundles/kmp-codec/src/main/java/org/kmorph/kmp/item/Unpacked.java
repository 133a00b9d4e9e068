// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** How much data of a round that goes to a peer directly was before it was compressed, in bytes. */
public record Unpacked(long bytes) implements Item {
    static Unpacked read(PayloadReader in) throws MalformedPayloadException {
        return new Unpacked(in.u64());
    }

    @Override
    public int typeCode() {
        return 0x0016;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u64(bytes);
    }
}
