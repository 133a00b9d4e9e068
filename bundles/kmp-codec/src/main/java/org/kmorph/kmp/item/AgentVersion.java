// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** The agent's own version. */
public record AgentVersion(String version) implements Item {
    static AgentVersion read(PayloadReader in) throws MalformedPayloadException {
        String version = in.text(Limits.MAX_AGENT_VERSION_BYTES);
        return new AgentVersion(version);
    }

    @Override
    public int typeCode() {
        return 0x0003;
    }

    @Override
    public void write(PayloadWriter out) {
        out.text(version, Limits.MAX_AGENT_VERSION_BYTES);
    }
}
