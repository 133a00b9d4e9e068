// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;

/** Whatever bytes come: a message, or the fault that docs/kmp.md names, and nothing else. A short run; the long one is a bench. */
class FuzzTest {
    private static final List<Message> GOLDEN =
            List.copyOf(GoldenFrames.messages().values());

    @Property(tries = 2000)
    void anyBytesAsAnyPayloadAreAMessageOrMalformed(@ForAll MessageType type, @ForAll @Size(max = 223) byte[] payload) {
        readAndWriteAgain(type, payload);
    }

    @Property(tries = 20_000)
    void alteredPayloadsAreAMessageOrMalformed(@ForAll @IntRange(max = 23) int golden, @ForAll long seed) {
        Message message = GOLDEN.get(golden);
        readAndWriteAgain(message.type(), altered(payload(message), new Random(seed)));
    }

    @Property(tries = 2000)
    void streamsAreReadTheSameHoweverTheyAreCut(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] stream = stream(random);
        Collector whole = new Collector();
        new FrameDecoder().feed(ByteBuffer.wrap(stream), 0, whole);
        Collector cut = new Collector();
        FrameDecoder decoder = new FrameDecoder();
        for (int at = 0; at < stream.length; ) {
            int length = Math.min(1 + random.nextInt(100), stream.length - at);
            decoder.feed(ByteBuffer.wrap(stream, at, length), 0, cut);
            at += length;
            assertThat(decoder.heldBytes()).isLessThanOrEqualTo(Math.max(256, 2 * at));
        }
        assertThat(cut.sequences).isEqualTo(whole.sequences);
        assertThat(cut.unknownTypes).isEqualTo(whole.unknownTypes);
        assertThat(cut.faults).isEqualTo(whole.faults);
        assertThat(cut.malformed).hasSameSizeAs(whole.malformed);
    }

    private static void readAndWriteAgain(MessageType type, byte[] payload) {
        Message message;
        try {
            message = type.read(new PayloadReader(ByteBuffer.wrap(payload), 0, payload.length));
        } catch (MalformedPayloadException e) {
            assertThat(e.offset()).isBetween(0, payload.length);
            return;
        }
        if (payload.length <= type.maxPayloadBytes()) {
            Collector again = new Collector();
            new FrameDecoder().feed(new FrameEncoder().encode(message, 1, 2), 0, again);
            assertThat(again.messages).containsExactly(message);
        }
    }

    private static byte[] payload(Message message) {
        byte[] frame = new FrameEncoder().encode(message, 1, 2).array();
        int length = (int) new FrameView().wrap(ByteBuffer.wrap(frame), 0).payloadLength();
        return Arrays.copyOfRange(frame, FrameView.HEADER_LENGTH, FrameView.HEADER_LENGTH + length);
    }

    /** One to four bytes set to telling values, and now and then an end cut off or added. */
    private static byte[] altered(byte[] payload, Random random) {
        byte[] bytes = payload.clone();
        int[] telling = {0, 1, 2, 3, 0x7f, 0x80, 0xff};
        for (int i = random.nextInt(4); i >= 0; i--) {
            int value = random.nextBoolean() ? random.nextInt(256) : telling[random.nextInt(telling.length)];
            bytes[random.nextInt(bytes.length)] = (byte) value;
        }
        return switch (random.nextInt(4)) {
            case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
            case 1 -> Arrays.copyOf(bytes, Math.min(Limits.MAX_SMALL_PAYLOAD_BYTES, bytes.length + random.nextInt(20)));
            default -> bytes;
        };
    }

    /** A few frames, known and not, one of them perhaps altered anywhere. */
    private static byte[] stream(Random random) {
        List<ByteBuffer> frames = new ArrayList<>();
        for (int i = random.nextInt(6); i >= 0; i--) {
            frames.add(
                    random.nextInt(4) == 0
                            ? FrameDecoderTest.rawFrame(random.nextInt(0x10000), new byte[random.nextInt(200)])
                            : new FrameEncoder().encode(GOLDEN.get(random.nextInt(GOLDEN.size())), i, i));
        }
        ByteBuffer stream = ByteBuffer.allocate(
                frames.stream().mapToInt(ByteBuffer::remaining).sum());
        frames.forEach(stream::put);
        byte[] bytes = stream.array();
        if (random.nextBoolean()) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }
}
