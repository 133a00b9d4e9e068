// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

import java.nio.ByteBuffer;
import org.kmorph.kmp.FrameDecoder;
import org.kmorph.kmp.FrameEncoder;
import org.kmorph.kmp.FrameFault;
import org.kmorph.kmp.FrameSink;
import org.kmorph.kmp.FrameView;
import org.kmorph.kmp.Replies;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.LittleEndian;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;

/**
 * What Jazzer calls with bytes of its choice: as a stream of frames, and as the payload of a frame whose checksum is made to
 * fit, so that the fuzzer need not guess it. Anything but a message or the fault that the specification names is a finding.
 */
public final class FuzzTarget {
    private FuzzTarget() {}

    /** Jazzer's entry point. */
    public static void fuzzerTestOneInput(byte[] input) {
        stream(input);
        if (input.length >= FrameView.HEADER_LENGTH) {
            frame(input);
        }
    }

    private static void stream(byte[] input) {
        FrameDecoder decoder = new FrameDecoder();
        // the first byte says how it is cut
        int piece = input.length == 0 ? 1 : 1 + (input[0] & 0x3f);
        for (int at = 0; at < input.length; at += piece) {
            decoder.feed(ByteBuffer.wrap(input, at, Math.min(piece, input.length - at)), 0, new Reader());
            if (decoder.heldBytes() > Math.max(256, 2 * (at + piece))) {
                throw new IllegalStateException(decoder.heldBytes() + " bytes held for " + (at + piece));
            }
        }
    }

    private static void frame(byte[] input) {
        ByteBuffer frame = ByteBuffer.wrap(input);
        MessageType[] types = MessageType.values();
        MessageType type = types[LittleEndian.u16(frame, 6) % types.length];
        int length = input.length - FrameView.HEADER_LENGTH;
        if (length > type.maxPayloadBytes()) {
            return;
        }
        new FrameEncoder().finish(frame, 0, type, 1, 2, length);
        Reader reader = new Reader();
        new FrameDecoder().feed(frame, 0, reader);
        if (reader.frames != 1) {
            throw new IllegalStateException("a true frame of " + type + " was not delivered");
        }
    }

    private static final class Reader implements FrameSink {
        private int frames;

        @Override
        public void frame(FrameView frame) {
            frames++;
            Message message;
            try {
                message = frame.message();
            } catch (MalformedPayloadException e) {
                if (e.offset() < 0 || e.offset() > Limits.MAX_PAYLOAD_BYTES) {
                    throw new IllegalStateException("malformed at " + e.offset(), e);
                }
                return;
            }
            FrameView again = new FrameView().wrap(new FrameEncoder().encode(message, 1, 2), 0);
            try {
                Message read = again.type()
                        .orElseThrow()
                        .read(new PayloadReader(again.buffer(), again.payloadAt(), (int) again.payloadLength()));
                if (!read.equals(message)) {
                    throw new IllegalStateException(message + " is read again as " + read);
                }
            } catch (MalformedPayloadException e) {
                throw new IllegalStateException(message + " cannot be read again", e);
            }
        }

        @Override
        public void unknownType(FrameView header) {
            new FrameEncoder().encode(Replies.unsupportedType(header), header.sequence(), 2);
        }

        @Override
        public void fault(FrameFault fault, FrameView header) {
            // of a wrong magic the rest of the header may not have come
            if (fault != FrameFault.WRONG_MAGIC) {
                Replies.to(fault, header).ifPresent(answer -> new FrameEncoder().encode(answer, header.sequence(), 2));
            }
        }
    }
}
