// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_HEALTH_STATUS: what an agent noticed by itself. It has no answer.
 *
 * @param condition see {@link Condition}; unknown ones are kept
 * @param value what was measured
 * @param limit what is allowed
 * @param trouble bit n: condition n holds now
 */
public record HealthStatus(
        long instanceId,
        int condition,
        Severity severity,
        WorkloadState workloadState,
        long bootId,
        long value,
        long limit,
        int trouble,
        List<Item> items)
        implements Message {
    public HealthStatus {
        items = List.copyOf(items);
    }

    static HealthStatus read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        long instanceId = in.u32();
        int condition = in.u16();
        Severity severity = in.coded8(Severity.values());
        WorkloadState workloadState = in.coded8(WorkloadState.values());
        long bootId = in.u64();
        long value = in.u64();
        long limit = in.u64();
        int trouble = in.i32();
        in.reserved(4);
        return new HealthStatus(
                instanceId, condition, severity, workloadState, bootId, value, limit, trouble, Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.HEALTH_STATUS;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(instanceId)
                .u16(condition)
                .coded8(severity)
                .coded8(workloadState)
                .u64(bootId)
                .u64(value)
                .u64(limit)
                .i32(trouble)
                .reserved(4);
        Items.write(items, out);
    }
}
