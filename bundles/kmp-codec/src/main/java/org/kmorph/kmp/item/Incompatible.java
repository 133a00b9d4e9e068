// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * Why a target cannot take what was offered.
 *
 * @param code an error code
 * @param kind of state, or 0
 */
public record Incompatible(int code, int kind, String text) implements Item {
    static Incompatible read(PayloadReader in) throws MalformedPayloadException {
        return new Incompatible(in.u16(), in.u16(), in.text(Limits.MAX_TEXT_BYTES));
    }

    @Override
    public int typeCode() {
        return 0x0012;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u16(code).u16(kind).text(text, Limits.MAX_TEXT_BYTES);
    }
}
