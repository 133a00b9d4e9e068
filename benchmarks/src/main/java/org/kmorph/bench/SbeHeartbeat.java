// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

import org.agrona.concurrent.UnsafeBuffer;
import org.kmorph.bench.generated.sbe.MessageHeaderDecoder;
import org.kmorph.bench.generated.sbe.MessageHeaderEncoder;
import org.kmorph.bench.generated.sbe.SbeAnswerDecoder;
import org.kmorph.bench.generated.sbe.SbeAnswerEncoder;
import org.kmorph.bench.generated.sbe.SbeRequestDecoder;
import org.kmorph.bench.generated.sbe.SbeRequestEncoder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;

/** The same heartbeat and answer through SBE's generated flyweights, in an envelope with a checksum. */
@State(Scope.Thread)
public class SbeHeartbeat {
    private final Figures figures = new Figures();

    private final byte[] bytes = new byte[256];

    private final UnsafeBuffer buffer = new UnsafeBuffer(bytes);

    private final Envelope envelope = new Envelope();

    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();

    private final MessageHeaderDecoder headerDecoder = new MessageHeaderDecoder();

    private final SbeRequestEncoder requestEncoder = new SbeRequestEncoder();

    private final SbeRequestDecoder requestDecoder = new SbeRequestDecoder();

    private final SbeAnswerEncoder answerEncoder = new SbeAnswerEncoder();

    private final SbeAnswerDecoder answerDecoder = new SbeAnswerDecoder();

    @Setup
    public void setUp() {
        encode();
    }

    @Benchmark
    public byte[] encode() {
        figures.next();
        requestEncoder
                .wrapAndApplyHeader(buffer, Envelope.LENGTH, headerEncoder)
                .sequence(figures.sequence())
                .wants(Figures.WANTS)
                .timestampNanos(figures.timestampNanos());
        int requestLength = MessageHeaderEncoder.ENCODED_LENGTH + requestEncoder.encodedLength();
        envelope.seal(buffer, bytes, 0, requestLength);
        int at = Envelope.LENGTH + requestLength;
        answerEncoder
                .wrapAndApplyHeader(buffer, at + Envelope.LENGTH, headerEncoder)
                .sequence(figures.sequence())
                .instanceId(Figures.INSTANCE_ID)
                .timestampNanos(figures.timestampNanos())
                .agentState((short) Figures.AGENT_STATE)
                .workloadState((short) Figures.WORKLOAD_STATE)
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
        envelope.seal(buffer, bytes, at, MessageHeaderEncoder.ENCODED_LENGTH + answerEncoder.encodedLength());
        return bytes;
    }

    @Benchmark
    public void decode(Blackhole hole) {
        int requestLength = envelope.open(buffer, bytes, 0);
        requestDecoder.wrapAndApplyHeader(buffer, Envelope.LENGTH, headerDecoder);
        hole.consume(requestDecoder.sequence());
        hole.consume(requestDecoder.wants());
        hole.consume(requestDecoder.timestampNanos());
        int at = Envelope.LENGTH + requestLength;
        envelope.open(buffer, bytes, at);
        answerDecoder.wrapAndApplyHeader(buffer, at + Envelope.LENGTH, headerDecoder);
        hole.consume(answerDecoder.sequence());
        hole.consume(answerDecoder.instanceId());
        hole.consume(answerDecoder.timestampNanos());
        hole.consume(answerDecoder.agentState());
        hole.consume(answerDecoder.workloadState());
        hole.consume(answerDecoder.cpuCount());
        hole.consume(answerDecoder.bootId());
        hole.consume(answerDecoder.uptimeMillis());
        hole.consume(answerDecoder.memoryTotalBytes());
        hole.consume(answerDecoder.memoryAvailableBytes());
        hole.consume(answerDecoder.cpuUse());
        hole.consume(answerDecoder.load1());
        hole.consume(answerDecoder.ioMicros());
        hole.consume(answerDecoder.ioAgeMillis());
        hole.consume(answerDecoder.flags());
        hole.consume(answerDecoder.trouble());
    }
}
