// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameDecoderTest {
    private static final FrameType[] OF_CLIENT = {
        FrameType.START, FrameType.STDIN, FrameType.STDIN_END, FrameType.RESIZE, FrameType.CANCEL
    };

    @Test
    void framesCutAnywhereComeOutWhole() throws Refusal {
        Random random = new Random(11);
        for (int round = 0; round < 200; round++) {
            List<Frame> sent = new ArrayList<>();
            ByteBuffer stream = ByteBuffer.allocate(200_000);
            for (int i = random.nextInt(20); i >= 0; i--) {
                byte[] payload = new byte[random.nextInt(random.nextInt(8) == 0 ? Frame.MAX_PAYLOAD / 8 : 40)];
                random.nextBytes(payload);
                Frame frame = new Frame(OF_CLIENT[random.nextInt(OF_CLIENT.length)], payload);
                sent.add(frame);
                stream.put(frame.encode());
            }
            assertThat(decode(stream.flip(), random).stream().map(Frame::encode))
                    .containsExactlyElementsOf(sent.stream().map(Frame::encode).toList());
        }
    }

    private static List<Frame> decode(ByteBuffer stream, Random random) throws Refusal {
        FrameDecoder decoder = new FrameDecoder();
        List<Frame> frames = new ArrayList<>();
        while (stream.hasRemaining()) {
            int n = 1 + random.nextInt(stream.remaining());
            ByteBuffer piece = stream.slice(stream.position(), n);
            stream.position(stream.position() + n);
            for (Optional<Frame> f = decoder.next(piece); f.isPresent(); f = decoder.next(piece)) {
                frames.add(f.get());
            }
        }
        assertThat(decoder.insideFrame()).isFalse();
        return frames;
    }

    @Test
    void largestFrameIsTakenAndOneByteMoreIsNot() throws Refusal {
        Frame largest = new Frame(FrameType.STDIN, new byte[Frame.MAX_PAYLOAD]);
        assertThat(new FrameDecoder().next(largest.encode())).isPresent();
        ByteBuffer more = ByteBuffer.allocate(5)
                .put(FrameType.STDIN.code())
                .putInt(Frame.MAX_PAYLOAD + 1)
                .flip();
        assertThatThrownBy(() -> new FrameDecoder().next(more)).isInstanceOf(Refusal.class);
    }

    @Test
    void wrongTypeIsSeenAtItsFirstByte() {
        assertThatThrownBy(() -> new FrameDecoder().next(ByteBuffer.wrap(new byte[] {'S'})))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("frame type 0x53");
    }

    @Test
    void greetingNamesTheDaemon() {
        DaemonIdentity daemon = new DaemonIdentity(4_000_000_000L, 1_700_000_000_123L);
        assertThat(Frame.identity(Frame.hello(daemon).encode())).contains(daemon);
        assertThat(Frame.identity(ByteBuffer.allocate(25))).isEmpty();
        assertThat(Frame.identity(ByteBuffer.allocate(3))).isEmpty();
    }
}
