// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_MORPH_NEGOTIATE.
 *
 * @param compression AGREE: what was agreed; else NONE
 * @param digest AGREE: the code of a {@link org.kmorph.kmp.item.DigestAlgorithm}; else 0
 */
public record MorphNegotiate(
        UUID operation, NegotiateStage stage, Compression compression, int digest, List<Item> items)
        implements OperationMessage {
    public MorphNegotiate {
        items = List.copyOf(items);
    }

    static MorphNegotiate read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        NegotiateStage stage = in.coded8(NegotiateStage.values());
        Compression compression = in.coded8(Compression.values());
        int digest = in.u16();
        in.reserved(4);
        return new MorphNegotiate(operation, stage, compression, digest, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.MORPH_NEGOTIATE;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation).coded8(stage).coded8(compression).u16(digest).reserved(4);
        Items.write(items, out);
    }
}
