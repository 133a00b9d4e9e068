// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.List;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_HEARTBEAT_RSP. On a hot path use {@link org.kmorph.kmp.HeartbeatAnswerFlyweight}.
 *
 * @param bootId random, another after each boot
 * @param uptimeMillis of the instance
 * @param cpuUse of all its processors, in hundredths of a percent
 * @param load1 load average of one minute, in hundredths
 * @param ioMicros what the last small synced write took
 * @param ioAgeMillis since that write was begun
 * @param flags bits of {@link org.kmorph.kmp.HeartbeatAnswerFlyweight}
 * @param trouble bit n: {@link Condition} n holds
 */
public record HeartbeatAnswer(
        long instanceId,
        AgentState agentState,
        WorkloadState workloadState,
        int cpuCount,
        long bootId,
        long uptimeMillis,
        long memoryTotalBytes,
        long memoryAvailableBytes,
        long cpuUse,
        long load1,
        long ioMicros,
        long ioAgeMillis,
        int flags,
        int trouble,
        List<Item> items)
        implements Message {
    public HeartbeatAnswer {
        items = List.copyOf(items);
    }

    static HeartbeatAnswer read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        long instanceId = in.u32();
        AgentState agentState = in.coded8(AgentState.values());
        WorkloadState workloadState = in.coded8(WorkloadState.values());
        int cpuCount = in.u16();
        long bootId = in.u64();
        long uptimeMillis = in.u64();
        long memoryTotalBytes = in.u64();
        long memoryAvailableBytes = in.u64();
        long cpuUse = in.u32();
        long load1 = in.u32();
        long ioMicros = in.u32();
        long ioAgeMillis = in.u32();
        int flags = in.i32();
        int trouble = in.i32();
        return new HeartbeatAnswer(
                instanceId,
                agentState,
                workloadState,
                cpuCount,
                bootId,
                uptimeMillis,
                memoryTotalBytes,
                memoryAvailableBytes,
                cpuUse,
                load1,
                ioMicros,
                ioAgeMillis,
                flags,
                trouble,
                Items.read(in));
    }

    @Override
    public MessageType type() {
        return MessageType.HEARTBEAT_RSP;
    }

    @Override
    public void write(PayloadWriter out) {
        out.u32(instanceId)
                .coded8(agentState)
                .coded8(workloadState)
                .u16(cpuCount)
                .u64(bootId)
                .u64(uptimeMillis)
                .u64(memoryTotalBytes)
                .u64(memoryAvailableBytes)
                .u32(cpuUse)
                .u32(load1)
                .u32(ioMicros)
                .u32(ioAgeMillis)
                .i32(flags)
                .i32(trouble);
        Items.write(items, out);
    }
}
