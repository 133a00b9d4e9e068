// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_RETRY: the request was not carried out, and may be later.
 *
 * @param delayMillis not before
 * @param requestType msg_type of what it answers
 * @param code why: see {@link ErrorCode}
 */
public record RetryAnswer(long delayMillis, int requestType, int code, List<Item> items) implements Message {
    public RetryAnswer {
        items = List.copyOf(items);
    }

    static RetryAnswer read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        long delayMillis = in.u32();
        int requestType = in.u16();
        int code = in.u16();
        return new RetryAnswer(delayMillis, requestType, code, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.RETRY;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(delayMillis).u16(requestType).u16(code);
        Items.write(items, out);
    }
}
