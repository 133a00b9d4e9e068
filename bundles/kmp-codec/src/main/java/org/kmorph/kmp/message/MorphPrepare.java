// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import java.util.UUID;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.Role;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_MORPH_PREPARE.
 *
 * @param role SOURCE or TARGET
 * @param flags {@link #COLD}, {@link #KEPT}
 * @param expiresMillis at least 1
 * @param peerInstance the other side
 */
public record MorphPrepare(
        UUID operation, Role role, int flags, long expiresMillis, long peerInstance, List<Item> items)
        implements OperationMessage {
    /** No state moves: ACTIVATE starts the workload afresh. */
    public static final int COLD = 1;

    /** The target has released this workload in another operation, and kept its state. */
    public static final int KEPT = 2;

    public MorphPrepare {
        items = List.copyOf(items);
    }

    static MorphPrepare read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        Role role = in.coded8(Role.values());
        in.reserved(1);
        int flags = in.u16();
        long expiresMillis = in.u32();
        long peerInstance = in.u32();
        in.reserved(4);
        if (role == Role.SURVIVOR || expiresMillis == 0) {
            throw in.malformed("a source or target that expires after 1 ms or more is expected");
        }
        return new MorphPrepare(operation, role, flags, expiresMillis, peerInstance, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.MORPH_PREPARE;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation)
                .coded8(role)
                .reserved(1)
                .u16(flags)
                .u32(expiresMillis)
                .u32(peerInstance)
                .reserved(4);
        Items.write(items, out);
    }
}
