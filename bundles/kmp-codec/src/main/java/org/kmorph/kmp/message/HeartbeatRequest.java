// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_HEARTBEAT_REQ. On a hot path use {@link org.kmorph.kmp.HeartbeatRequestFlyweight}.
 *
 * @param wants bits of {@link Want}
 */
public record HeartbeatRequest(int wants, List<Item> items) implements Message {
    public HeartbeatRequest {
        items = List.copyOf(items);
    }

    static HeartbeatRequest read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        int wants = in.i32();
        in.reserved(4);
        return new HeartbeatRequest(wants, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.HEARTBEAT_REQ;
    }

    @Override
    public void write(PayloadWriter out) {
        out.i32(wants).reserved(4);
        Items.write(items, out);
    }
}
