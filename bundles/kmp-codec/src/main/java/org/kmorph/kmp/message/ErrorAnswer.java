// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_ERROR: the request whose sequence it repeats has failed.
 *
 * @param code see {@link ErrorCode}; unknown ones are kept
 * @param requestType msg_type of what it answers
 * @param versionMin the versions that the sender speaks
 * @param value depends on the code; else 0
 */
public record ErrorAnswer(int code, int requestType, int versionMin, int versionMax, long value, List<Item> items)
        implements Message {
    public ErrorAnswer {
        items = List.copyOf(items);
    }

    static ErrorAnswer read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        int code = in.u16();
        int requestType = in.u16();
        int versionMin = in.u16();
        int versionMax = in.u16();
        long value = in.u64();
        return new ErrorAnswer(code, requestType, versionMin, versionMax, value, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.ERROR;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u16(code).u16(requestType).u16(versionMin).u16(versionMax).u64(value);
        Items.write(items, out);
    }
}
