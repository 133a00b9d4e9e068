// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * A device.
 *
 * @param owner an instance id, or {@link org.kmorph.kmp.wire.Limits#NO_INSTANCE} for the pool
 */
public record Device(long owner, String name) implements Item {
    static Device read(PayloadReader in) throws MalformedPayloadException {
        long owner = in.u32();
        String name = in.text(Limits.MAX_NAME_BYTES);
        return new Device(owner, name);
    }

    @Override
    public int typeCode() {
        return 0x0022;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(owner);
        out.text(name, Limits.MAX_NAME_BYTES);
    }
}
