// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import org.agrona.concurrent.UnsafeBuffer;
import org.kmorph.bench.generated.proto.ProtoAnswer;
import org.kmorph.bench.generated.proto.ProtoRequest;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** The same heartbeat and answer through protobuf-java into and out of a buffer that is kept, in an envelope with a checksum. */
@State(Scope.Thread)
public class ProtoHeartbeat {
    private final Figures figures = new Figures();

    private final byte[] bytes = new byte[256];

    private final UnsafeBuffer buffer = new UnsafeBuffer(bytes);

    private final Envelope envelope = new Envelope();

    @Setup
    public void setUp() throws IOException {
        encode();
    }

    @Benchmark
    public byte[] encode() throws IOException {
        figures.next();
        ProtoRequest request = ProtoRequest.newBuilder()
                .setSequence(figures.sequence())
                .setWants(Figures.WANTS)
                .setTimestampNanos(figures.timestampNanos())
                .build();
        ProtoAnswer answer = ProtoAnswer.newBuilder()
                .setSequence(figures.sequence())
                .setInstanceId(Figures.INSTANCE_ID)
                .setTimestampNanos(figures.timestampNanos())
                .setAgentState(Figures.AGENT_STATE)
                .setWorkloadState(Figures.WORKLOAD_STATE)
                .setCpuCount(Figures.CPU_COUNT)
                .setBootId(Figures.BOOT_ID)
                .setUptimeMillis(figures.uptimeMillis())
                .setMemoryTotalBytes(Figures.MEMORY_TOTAL_BYTES)
                .setMemoryAvailableBytes(figures.memoryAvailableBytes())
                .setCpuUse(figures.cpuUse())
                .setLoad1(figures.load1())
                .setIoMicros(figures.ioMicros())
                .setIoAgeMillis(figures.ioAgeMillis())
                .setFlags(Figures.FLAGS)
                .setTrouble(Figures.TROUBLE)
                .build();
        write(answer, write(request, 0));
        return bytes;
    }

    @Benchmark
    public void decode(Blackhole hole) throws IOException {
        int requestLength = envelope.open(buffer, bytes, 0);
        ProtoRequest request =
                ProtoRequest.parseFrom(CodedInputStream.newInstance(bytes, Envelope.LENGTH, requestLength));
        hole.consume(request.getSequence());
        hole.consume(request.getWants());
        hole.consume(request.getTimestampNanos());
        int at = Envelope.LENGTH + requestLength;
        int answerLength = envelope.open(buffer, bytes, at);
        ProtoAnswer answer =
                ProtoAnswer.parseFrom(CodedInputStream.newInstance(bytes, at + Envelope.LENGTH, answerLength));
        hole.consume(answer.getSequence());
        hole.consume(answer.getInstanceId());
        hole.consume(answer.getTimestampNanos());
        hole.consume(answer.getAgentState());
        hole.consume(answer.getWorkloadState());
        hole.consume(answer.getCpuCount());
        hole.consume(answer.getBootId());
        hole.consume(answer.getUptimeMillis());
        hole.consume(answer.getMemoryTotalBytes());
        hole.consume(answer.getMemoryAvailableBytes());
        hole.consume(answer.getCpuUse());
        hole.consume(answer.getLoad1());
        hole.consume(answer.getIoMicros());
        hole.consume(answer.getIoAgeMillis());
        hole.consume(answer.getFlags());
        hole.consume(answer.getTrouble());
    }

    private int write(MessageLite message, int at) throws IOException {
        int length = message.getSerializedSize();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes, at + Envelope.LENGTH, length);
        message.writeTo(out);
        out.checkNoSpaceLeft();
        envelope.seal(buffer, bytes, at, length);
        return at + Envelope.LENGTH + length;
    }
}
