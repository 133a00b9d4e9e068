// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

import java.nio.ByteBuffer;
import org.kmorph.kmp.FrameDecoder;
import org.kmorph.kmp.FrameEncoder;
import org.kmorph.kmp.FrameFault;
import org.kmorph.kmp.FrameSink;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.HeartbeatAnswerFlyweight;
import org.kmorph.kmp.HeartbeatRequestFlyweight;
import org.kmorph.kmp.message.MessageType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** A heartbeat and its answer as KMP: frames, header checks and checksum as in production. */
@State(Scope.Thread)
public class KmpHeartbeat implements FrameSink {
    private static final int ANSWER_AT = FrameView.HEADER_LENGTH + HeartbeatRequestFlyweight.LENGTH;

    private static final int LENGTH = ANSWER_AT + FrameView.HEADER_LENGTH + HeartbeatAnswerFlyweight.LENGTH;

    private final Figures figures = new Figures();

    private final ByteBuffer buffer = ByteBuffer.allocate(LENGTH);

    private final FrameEncoder encoder = new FrameEncoder();

    private final FrameDecoder decoder = new FrameDecoder();

    private final HeartbeatRequestFlyweight request = new HeartbeatRequestFlyweight();

    private final HeartbeatAnswerFlyweight answer = new HeartbeatAnswerFlyweight();

    private Blackhole hole;

    @Setup
    public void setUp(Blackhole hole) {
        this.hole = hole;
        encode();
    }

    @Benchmark
    public ByteBuffer encode() {
        figures.next();
        request.wrap(buffer, FrameView.HEADER_LENGTH).wants(Figures.WANTS);
        encoder.finish(
                buffer,
                0,
                MessageType.HEARTBEAT_REQ,
                figures.sequence(),
                figures.timestampNanos(),
                HeartbeatRequestFlyweight.LENGTH);
        answer.wrap(buffer, ANSWER_AT + FrameView.HEADER_LENGTH)
                .instanceId(Figures.INSTANCE_ID)
                .agentState(Figures.AGENT_STATE)
                .workloadState(Figures.WORKLOAD_STATE)
                .cpuCount(Figures.CPU_COUNT)
                .bootId(Figures.BOOT_ID)
                .uptimeMillis(figures.uptimeMillis())
                .memoryTotalBytes(Figures.MEMORY_TOTAL_BYTES)
                .memoryAvailableBytes(figures.memoryAvailableBytes())
                .cpuUse(figures.cpuUse())
                .load1(figures.load1())
                .ioMicros(figures.ioMicros())
                .ioAgeMillis(figures.ioAgeMillis())
                .flags(Figures.FLAGS)
                .trouble(Figures.TROUBLE);
        encoder.finish(
                buffer,
                ANSWER_AT,
                MessageType.HEARTBEAT_RSP,
                figures.sequence(),
                figures.timestampNanos(),
                HeartbeatAnswerFlyweight.LENGTH);
        return buffer;
    }

    @Benchmark
    public void decode() {
        decoder.feed(buffer.clear(), 0, this);
    }

    @Override
    public void frame(FrameView frame) {
        hole.consume(frame.sequence());
        hole.consume(frame.timestampNanos());
        if (frame.type().get() == MessageType.HEARTBEAT_REQ) {
            hole.consume(request.wrap(frame.buffer(), frame.payloadAt()).wants());
            return;
        }
        answer.wrap(frame.buffer(), frame.payloadAt());
        hole.consume(answer.instanceId());
        hole.consume(answer.agentState());
        hole.consume(answer.workloadState());
        hole.consume(answer.cpuCount());
        hole.consume(answer.bootId());
        hole.consume(answer.uptimeMillis());
        hole.consume(answer.memoryTotalBytes());
        hole.consume(answer.memoryAvailableBytes());
        hole.consume(answer.cpuUse());
        hole.consume(answer.load1());
        hole.consume(answer.ioMicros());
        hole.consume(answer.ioAgeMillis());
        hole.consume(answer.flags());
        hole.consume(answer.trouble());
    }

    @Override
    public void unknownType(FrameView header) {
        throw new IllegalStateException("no such frame was written");
    }

    @Override
    public void fault(FrameFault fault, FrameView header) {
        throw new IllegalStateException(fault.toString());
    }
}
