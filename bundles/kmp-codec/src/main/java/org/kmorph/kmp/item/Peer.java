// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/** Where the target's agent listens that a round is to go to directly: the path of a Unix socket. */
public record Peer(String path) implements Item {
    static Peer read(PayloadReader in) throws MalformedPayloadException {
        String path = in.text(Limits.MAX_PEER_BYTES);
        if (path.isEmpty()) {
            throw in.malformed("a peer without a path");
        }
        return new Peer(path);
    }

    @Override
    public int typeCode() {
        return 0x0015;
    }

    @Override
    public void write(PayloadWriter out) {
        out.text(path, Limits.MAX_PEER_BYTES);
    }
}
