// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Cuts the bytes of one client into frames. Pure; holds at most one frame that is not whole yet. */
final class FrameDecoder {
    private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
    private Optional<FrameType> type = Optional.empty();
    private ByteBuffer payload = ByteBuffer.allocate(0);

    /**
     * Takes bytes until a frame is whole.
     *
     * @return the frame, or empty when all bytes are taken and more are needed
     * @throws Refusal when this is no frame of a client; the decoder is of no use then
     */
    Optional<Frame> next(ByteBuffer in) throws Refusal {
        if (type.isEmpty() && !readHeader(in)) {
            return Optional.empty();
        }
        fill(payload, in);
        if (payload.hasRemaining()) {
            return Optional.empty();
        }
        Frame frame = new Frame(type.orElseThrow(), payload.array());
        type = Optional.empty();
        header.clear();
        return Optional.of(frame);
    }

    /** Whether a frame has begun and is not whole. */
    boolean insideFrame() {
        return header.position() > 0;
    }

    private boolean readHeader(ByteBuffer in) throws Refusal {
        fill(header, in);
        if (header.position() > 0) {
            type(header.get(0));
        }
        if (header.hasRemaining()) {
            return false;
        }
        long length = Integer.toUnsignedLong(header.getInt(1));
        if (length > Frame.MAX_PAYLOAD) {
            throw Refusal.malformed("a frame of " + length + " bytes, where " + Frame.MAX_PAYLOAD + " are allowed");
        }
        type = Optional.of(type(header.get(0)));
        payload = ByteBuffer.allocate((int) length);
        return true;
    }

    private static FrameType type(byte code) throws Refusal {
        return FrameType.fromClient(code)
                .orElseThrow(() -> Refusal.malformed(String.format("frame type 0x%02x", code)));
    }

    private static void fill(ByteBuffer to, ByteBuffer from) {
        int n = Math.min(to.remaining(), from.remaining());
        to.put(to.position(), from, from.position(), n);
        to.position(to.position() + n);
        from.position(from.position() + n);
    }
}
