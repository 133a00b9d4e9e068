// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * What an agent can do.
 *
 * @param bits of {@link Capability}; unknown ones are kept
 */
public record Capabilities(long bits) implements Item {
    static Capabilities read(PayloadReader in) throws MalformedPayloadException {
        long bits = in.u64();
        return new Capabilities(bits);
    }

    @Override
    public int typeCode() {
        return 0x0002;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u64(bits);
    }
}
