// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** An instance of the topology. */
public record InstanceEntry(long instanceId, long cid, boolean running, String name) implements Item {
    static InstanceEntry read(PayloadReader in) throws MalformedPayloadException {
        long instanceId = in.u32();
        long cid = in.u32();
        int running = in.u8();
        if (running > 1) {
            throw in.malformed("running is " + running + "; 0 or 1 is expected");
        }
        in.reserved(3);
        return new InstanceEntry(instanceId, cid, running == 1, in.text(Limits.MAX_NAME_BYTES));
    }

    @Override
    public int typeCode() {
        return 0x0023;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(instanceId).u32(cid).u8(running ? 1 : 0).reserved(3).text(name, Limits.MAX_NAME_BYTES);
    }
}
