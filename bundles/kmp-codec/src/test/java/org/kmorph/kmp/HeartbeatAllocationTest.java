// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.kmorph.kmp.message.AgentState;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.WorkloadState;

class HeartbeatAllocationTest {
    private static final int EXCHANGES = 200_000;

    /** What the measurement itself may cost: less than a hundredth of a byte for each exchange. */
    private static final long NOTHING_BYTES = 2_000;

    private final FrameEncoder encoder = new FrameEncoder();

    private final FrameDecoder decoder = new FrameDecoder();

    private final HeartbeatRequestFlyweight request = new HeartbeatRequestFlyweight();

    private final HeartbeatAnswerFlyweight answer = new HeartbeatAnswerFlyweight();

    private final Reader reader = new Reader();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void heartbeatsAreWrittenAndReadWithoutAllocation(boolean direct) {
        ByteBuffer buffer = direct ? ByteBuffer.allocateDirect(256) : ByteBuffer.allocate(256);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        exchange(buffer, EXCHANGES);
        long thread = Thread.currentThread().getId();
        long before = threads.getThreadAllocatedBytes(thread);
        exchange(buffer, EXCHANGES);
        assertThat(threads.getThreadAllocatedBytes(thread) - before).isLessThan(NOTHING_BYTES);
        assertThat(reader.frames).isEqualTo(4 * EXCHANGES);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void flyweightWritesWhatTheRecordWrites(boolean direct) {
        ByteBuffer buffer = direct ? ByteBuffer.allocateDirect(256) : ByteBuffer.allocate(256);
        answer.wrap(buffer, FrameView.HEADER_LENGTH)
                .instanceId(0xffff_fff0L)
                .agentState(AgentState.DEGRADED.code())
                .workloadState(WorkloadState.FROZEN.code())
                .cpuCount(65535)
                .bootId(-2)
                .uptimeMillis(3)
                .memoryTotalBytes(4)
                .memoryAvailableBytes(5)
                .cpuUse(10_000)
                .load1(7)
                .ioMicros(8)
                .ioAgeMillis(0xffff_ffffL)
                .flags(HeartbeatAnswerFlyweight.IO_STUCK)
                .trouble(1 << 31);
        encoder.finish(buffer, 0, MessageType.HEARTBEAT_RSP, 9, 10, HeartbeatAnswerFlyweight.LENGTH);
        HeartbeatAnswer record = new HeartbeatAnswer(
                0xffff_fff0L,
                AgentState.DEGRADED,
                WorkloadState.FROZEN,
                65535,
                -2,
                3,
                4,
                5,
                10_000,
                7,
                8,
                0xffff_ffffL,
                1,
                1 << 31,
                List.of());
        assertThat(buffer.limit(96)).isEqualTo(encoder.encode(record, 9, 10));
        assertThat(answer.load1()).isEqualTo(7);
        assertThat(answer.ioAgeMillis()).isEqualTo(0xffff_ffffL);
        assertThat(answer.trouble()).isEqualTo(1 << 31);
    }

    private void exchange(ByteBuffer buffer, int times) {
        for (int i = 0; i < times; i++) {
            request.wrap(buffer, FrameView.HEADER_LENGTH).wants(i);
            encoder.finish(buffer, 0, MessageType.HEARTBEAT_REQ, i, i, HeartbeatRequestFlyweight.LENGTH);
            decoder.feed(buffer.limit(40).position(0), i, reader);
            buffer.clear();
            answer.wrap(buffer, FrameView.HEADER_LENGTH).instanceId(i).bootId(i).cpuUse(i);
            encoder.finish(buffer, 0, MessageType.HEARTBEAT_RSP, i, i, HeartbeatAnswerFlyweight.LENGTH);
            // in two pieces: gathering one allocates nothing either
            decoder.feed(buffer.limit(50).position(0), i, reader);
            decoder.feed(buffer.limit(96), i, reader);
            buffer.clear();
        }
    }

    private static final class Reader implements FrameSink {
        private final HeartbeatRequestFlyweight request = new HeartbeatRequestFlyweight();

        private final HeartbeatAnswerFlyweight answer = new HeartbeatAnswerFlyweight();

        private int frames;

        @Override
        public void frame(FrameView frame) {
            long read = frame.type().get() == MessageType.HEARTBEAT_REQ
                    ? request.wrap(frame.buffer(), frame.payloadAt()).wants()
                    : answer.wrap(frame.buffer(), frame.payloadAt()).instanceId();
            if (read == frame.sequence()) {
                frames++;
            }
        }

        @Override
        public void unknownType(FrameView header) {
            throw new AssertionError("no such frame was sent");
        }

        @Override
        public void fault(FrameFault fault, FrameView header) {
            throw new AssertionError(fault);
        }
    }
}
