// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.LittleEndian;

class FrameDecoderTest {
    private final FrameDecoder decoder = new FrameDecoder();

    private final Collector found = new Collector();

    @Test
    void framesComeOutTheSameInPiecesOfAnySize() {
        ByteBuffer stream = goldenStream();
        List<Message> expected = new ArrayList<>(GoldenFrames.messages().values());
        for (int piece = 1; piece <= stream.limit(); piece++) {
            Collector collector = new Collector();
            FrameDecoder fresh = new FrameDecoder();
            for (int at = 0; at < stream.limit(); at += piece) {
                fresh.feed(stream.slice(at, Math.min(piece, stream.limit() - at)), 0, collector);
            }
            assertThat(collector.sequences).as("pieces of %d", piece).hasSize(expected.size());
            assertThat(fresh.hasPending()).isFalse();
            if (piece == stream.limit()) {
                assertThat(collector.messages).isEqualTo(expected);
            }
        }
    }

    @Test
    void framesComeOutOfDirectAndReadOnlyBuffersToo() {
        ByteBuffer stream = goldenStream();
        ByteBuffer direct = ByteBuffer.allocateDirect(stream.limit() + 3);
        direct.position(3).put(stream.duplicate()).position(3);
        decoder.feed(direct, 0, found);
        decoder.feed(stream.asReadOnlyBuffer(), 0, found);
        assertThat(found.messages).hasSize(2 * GoldenFrames.messages().size());
        assertThat(direct.remaining()).isZero();
        assertThat(found.faults).isEmpty();
    }

    @Test
    void wrongMagicIsSeenAtItsFirstByte() {
        decoder.feed(ByteBuffer.wrap(new byte[] {'G'}), 0, found);
        assertThat(found.faults).containsExactly(FrameFault.WRONG_MAGIC);
    }

    @Test
    void afterAFaultNothingIsReadAnyMore() {
        decoder.feed(ByteBuffer.wrap(new byte[] {'G'}), 0, found);
        ByteBuffer more = goldenStream();
        decoder.feed(more, 0, found);
        assertThat(more.remaining()).isZero();
        assertThat(found.messages).isEmpty();
        assertThat(found.faults).hasSize(1);
        assertThat(decoder.faulty()).isTrue();
        assertThat(decoder.hasPending()).isFalse();
    }

    @Test
    void everyFlippedBitIsCaught() {
        ByteBuffer frame = heartbeat();
        for (int bit = 0; bit < 8 * frame.limit(); bit++) {
            ByteBuffer flipped =
                    ByteBuffer.allocate(frame.limit()).put(frame.duplicate()).flip();
            flipped.put(bit / 8, (byte) (flipped.get(bit / 8) ^ 1 << bit % 8));
            Collector collector = new Collector();
            FrameDecoder fresh = new FrameDecoder();
            fresh.feed(flipped, 0, collector);
            assertThat(collector.messages).as("bit %d", bit).isEmpty();
            assertThat(fresh.faulty() || fresh.hasPending()).as("bit %d", bit).isTrue();
        }
    }

    @Test
    void unknownVersionIsAnsweredWithTheRangeAndItsSequence() {
        ByteBuffer frame = heartbeat();
        LittleEndian.put16(frame, 4, 2);
        Answers answers = feedForAnswer(frame);
        assertThat(answers.fault).isEqualTo(FrameFault.UNSUPPORTED_VERSION);
        ErrorAnswer answer = answers.answer.orElseThrow();
        assertThat(answer.code()).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
        assertThat(answer.versionMin()).isEqualTo(1);
        assertThat(answer.versionMax()).isEqualTo(1);
        assertThat(answer.value()).isEqualTo(2);
        assertThat(answers.sequence).isEqualTo(5);
    }

    @Test
    void smallMessagesOverTheFastPathAreTooLargeBeforeTheirPayloadComes() {
        ByteBuffer header = heartbeat().limit(FrameView.HEADER_LENGTH);
        LittleEndian.put32(header, 12, Limits.MAX_SMALL_PAYLOAD_BYTES + 1);
        Answers answers = feedForAnswer(header);
        assertThat(answers.fault).isEqualTo(FrameFault.TOO_LARGE);
        assertThat(answers.answer.orElseThrow().value()).isEqualTo(Limits.MAX_SMALL_PAYLOAD_BYTES);
    }

    @Test
    void noPayloadMayBeLargerThanOneMebibyte() {
        ByteBuffer header = heartbeat().limit(FrameView.HEADER_LENGTH);
        LittleEndian.put16(header, 6, 0x0203);
        LittleEndian.put32(header, 12, -1);
        assertThat(feedForAnswer(header).answer.orElseThrow().value()).isEqualTo(Limits.MAX_PAYLOAD_BYTES);
    }

    @Test
    void unknownTypeIsSkippedAndTheConnectionStays() {
        byte[] payload = new byte[100_000];
        ByteBuffer unknown = rawFrame(0x0777, payload);
        int most = 0;
        while (unknown.hasRemaining()) {
            ByteBuffer piece = unknown.slice(unknown.position(), Math.min(1000, unknown.remaining()));
            unknown.position(unknown.position() + piece.limit());
            decoder.feed(piece, 0, found);
            most = Math.max(most, decoder.heldBytes());
        }
        decoder.feed(heartbeat(), 0, found);
        assertThat(found.unknownTypes).containsExactly(0x0777);
        assertThat(found.messages).hasSize(1);
        assertThat(most).as("bytes held for a frame that nobody wants").isLessThanOrEqualTo(256);
    }

    @Test
    void unknownTypeWithAWrongChecksumClosesAllTheSame() {
        ByteBuffer unknown = rawFrame(0x0777, new byte[10]);
        unknown.put(40, (byte) 1);
        decoder.feed(unknown, 0, found);
        assertThat(found.faults).containsExactly(FrameFault.WRONG_CRC);
        assertThat(found.unknownTypes).isEmpty();
    }

    @Test
    void unknownAnswersAreIgnored() {
        decoder.feed(rawFrame(0x8777, new byte[0]), 0, found);
        assertThat(found.unknownTypes).isEmpty();
        assertThat(found.faults).isEmpty();
    }

    @Test
    void headerThatClaimsMuchTakesNoMemoryBeforeItsBytesCome() {
        ByteBuffer large = rawFrame(0x0203, new byte[Limits.MAX_PAYLOAD_BYTES]);
        decoder.feed(large.slice(0, 40), 0, found);
        assertThat(decoder.heldBytes()).isLessThanOrEqualTo(256);
        decoder.feed(large.slice(40, 100_000), 0, found);
        assertThat(decoder.heldBytes()).isLessThanOrEqualTo(2 * 100_040);
        decoder.feed(large.slice(100_040, large.limit() - 100_040), 0, found);
        assertThat(decoder.heldBytes()).isEqualTo(FrameView.HEADER_LENGTH + Limits.MAX_PAYLOAD_BYTES);
        assertThat(found.malformed).hasSize(1);
        ByteBuffer small = heartbeat();
        decoder.feed(small.slice(0, 10), 0, found);
        decoder.feed(small.slice(10, small.limit() - 10), 0, found);
        assertThat(decoder.heldBytes())
                .as("given back after the next small frame")
                .isEqualTo(256);
    }

    @Test
    void pendingSinceIsWhenTheFramesFirstByteCame() {
        ByteBuffer frame = heartbeat();
        assertThat(decoder.hasPending()).isFalse();
        decoder.feed(frame.slice(0, 1), 1000, found);
        decoder.feed(frame.slice(1, 35), 2000, found);
        assertThat(decoder.hasPending()).isTrue();
        assertThat(decoder.pendingSinceNanos()).isEqualTo(1000);
        decoder.feed(frame.slice(36, 4), 3000, found);
        assertThat(decoder.hasPending()).isFalse();
        decoder.feed(frame.slice(0, 1), 4000, found);
        assertThat(decoder.pendingSinceNanos()).isEqualTo(4000);
    }

    @Test
    void skippedFramesArePendingToo() {
        decoder.feed(rawFrame(0x0777, new byte[10]).limit(35), 1000, found);
        assertThat(decoder.hasPending()).isTrue();
        assertThat(decoder.pendingSinceNanos()).isEqualTo(1000);
    }

    private static Answers feedForAnswer(ByteBuffer frame) {
        Answers answers = new Answers();
        new FrameDecoder().feed(frame, 0, answers);
        return answers;
    }

    private static ByteBuffer heartbeat() {
        return new FrameEncoder().encode(new HeartbeatRequest(0, List.of()), 5, 0);
    }

    private static ByteBuffer goldenStream() {
        ByteBuffer stream = ByteBuffer.allocate(8192);
        FrameEncoder encoder = new FrameEncoder();
        GoldenFrames.messages().values().forEach(message -> encoder.encode(message, 1, 2, stream));
        return stream.flip();
    }

    static ByteBuffer rawFrame(int typeCode, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(FrameView.HEADER_LENGTH + payload.length);
        LittleEndian.put32(frame, 0, FrameView.MAGIC);
        LittleEndian.put16(frame, 4, FrameView.VERSION);
        LittleEndian.put16(frame, 6, typeCode);
        LittleEndian.put32(frame, 12, payload.length);
        frame.put(FrameView.HEADER_LENGTH, payload);
        LittleEndian.put32(frame, 24, new FrameCrc().ofFrame(frame, 0, payload.length));
        return frame;
    }

    private static final class Answers implements FrameSink {
        private FrameFault fault = FrameFault.WRONG_MAGIC;

        private Optional<ErrorAnswer> answer = Optional.empty();

        private int sequence;

        @Override
        public void frame(FrameView frame) {
            throw new AssertionError("a frame was delivered");
        }

        @Override
        public void unknownType(FrameView header) {
            throw new AssertionError("the type is known");
        }

        @Override
        public void fault(FrameFault found, FrameView header) {
            fault = found;
            answer = Replies.to(found, header);
            sequence = header.sequence();
        }
    }
}
