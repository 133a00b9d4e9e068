// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** A sentence for people. It comes from a peer: whoever shows it replaces what is not printable. */
public record Text(String text) implements Item {
    static Text read(PayloadReader in) throws MalformedPayloadException {
        return new Text(in.text(Limits.MAX_TEXT_BYTES));
    }

    @Override
    public int typeCode() {
        return 0x0006;
    }

    @Override
    public void write(PayloadWriter out) {
        out.text(text, Limits.MAX_TEXT_BYTES);
    }
}
