// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** The machine, as {@code uname -m}. */
public record Machine(String machine) implements Item {
    static Machine read(PayloadReader in) throws MalformedPayloadException {
        String machine = in.text(Limits.MAX_RELEASE_BYTES);
        return new Machine(machine);
    }

    @Override
    public int typeCode() {
        return 0x0007;
    }

    @Override
    public void write(PayloadWriter out) {
        out.text(machine, Limits.MAX_RELEASE_BYTES);
    }
}
