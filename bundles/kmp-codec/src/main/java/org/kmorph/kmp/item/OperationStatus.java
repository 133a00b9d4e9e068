// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.item;

import java.util.UUID;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * Where an agent stands in an operation.
 *
 * @param leaseLeftMicros while frozen; else 0
 */
public record OperationStatus(UUID operation, Role role, OperationState state, long leaseLeftMicros) implements Item {
    static OperationStatus read(PayloadReader in) throws MalformedPayloadException {
        UUID operation = in.operation();
        Role role = in.coded8(Role.values());
        OperationState state = in.coded8(OperationState.values());
        in.reserved(2);
        long leaseLeftMicros = in.u32();
        return new OperationStatus(operation, role, state, leaseLeftMicros);
    }

    @Override
    public int typeCode() {
        return 0x0005;
    }

    @Override
    public void write(PayloadWriter out) {
        out.operation(operation);
        out.coded8(role);
        out.coded8(state);
        out.reserved(2);
        out.u32(leaseLeftMicros);
    }
}
