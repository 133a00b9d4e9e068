// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.wire.Limits;

/**
 * Finds frames in a byte stream that comes in pieces of any size. Pure: no I/O, no clock. Not thread-safe; one for each
 * connection.
 *
 * <p>A frame that lies whole in what is fed is delivered where it lies, and nothing is allocated for it. One that comes in pieces
 * is gathered in a buffer that grows with what has come, never with what a header claims, and shrinks again. Order of checks and
 * what follows from each: {@code docs/kmp.md}, Conduct.
 */
public final class FrameDecoder {
    private static final int SMALLEST_ROOM = 256;

    private final FrameView view = new FrameView();

    private final FrameCrc crc = new FrameCrc();

    /** The frame that is not complete yet: {@link #gatheredLength} bytes of it, or its header alone while it is skipped. */
    private ByteBuffer gathered = ByteBuffer.allocate(SMALLEST_ROOM);

    private int gatheredLength;

    /** What is left of the payload of a frame of unknown type. */
    private int toSkip;

    private boolean skipping;

    private boolean faulty;

    private long pendingSinceNanos;

    /**
     * Takes bytes, all that remain in the buffer, and delivers what they complete before it returns.
     *
     * @param in heap or direct; its position moves to its limit
     * @param nowNanos by the caller's clock, for {@link #pendingSinceNanos}
     */
    public void feed(ByteBuffer in, long nowNanos, FrameSink sink) {
        while (in.hasRemaining() && !faulty) {
            if (skipping) {
                skip(in, sink);
            } else if (gatheredLength == 0) {
                pendingSinceNanos = nowNanos;
                direct(in, sink);
            } else {
                gather(in, sink);
            }
        }
        if (faulty) {
            in.position(in.limit());
        }
    }

    /** Whether part of a frame has come and the rest has not. */
    public boolean hasPending() {
        return !faulty && (gatheredLength > 0 || skipping);
    }

    /**
     * When the first byte of the frame that is not complete came, by the caller's clock; of no meaning without
     * {@link #hasPending}. The rest is due within {@link Limits#FRAME_DEADLINE_MILLIS}.
     */
    public long pendingSinceNanos() {
        return pendingSinceNanos;
    }

    /** Whether a fault was reported: whatever comes is thrown away. */
    public boolean faulty() {
        return faulty;
    }

    /** How much memory it holds for a frame that comes in pieces, in bytes. */
    public int heldBytes() {
        return gathered.capacity();
    }

    /** A frame begins in the buffer: delivers it where it lies, or begins to gather it. */
    private void direct(ByteBuffer in, FrameSink sink) {
        int at = in.position();
        int available = in.remaining();
        if (available >= FrameView.HEADER_LENGTH) {
            if (!acceptsHeader(view.wrap(in, at), sink)) {
                return;
            }
            Optional<MessageType> type = view.type();
            int length = FrameView.HEADER_LENGTH + (int) view.payloadLength();
            if (type.isPresent() && available >= length) {
                in.position(at + length);
                deliver(in, at, sink);
                return;
            }
        }
        gather(in, sink);
    }

    private void gather(ByteBuffer in, FrameSink sink) {
        if (gatheredLength < FrameView.HEADER_LENGTH) {
            take(in, FrameView.HEADER_LENGTH - gatheredLength);
            if (!magicSoFar()) {
                fault(FrameFault.WRONG_MAGIC, sink);
                return;
            }
            if (gatheredLength < FrameView.HEADER_LENGTH || !acceptsHeader(view.wrap(gathered, 0), sink)) {
                return;
            }
            if (view.type().isEmpty()) {
                beginSkipping(sink);
                return;
            }
        }
        int length = FrameView.HEADER_LENGTH + (int) view.wrap(gathered, 0).payloadLength();
        take(in, length - gatheredLength);
        if (gatheredLength == length) {
            gatheredLength = 0;
            deliver(gathered, 0, sink);
            if (length <= gathered.capacity() / 4) {
                gathered = ByteBuffer.allocate(SMALLEST_ROOM);
            }
        }
    }

    private void beginSkipping(FrameSink sink) {
        skipping = true;
        toSkip = (int) view.payloadLength();
        crc.beginWithHeader(gathered, 0);
        if (toSkip == 0) {
            endSkipping(sink);
        }
    }

    private void skip(ByteBuffer in, FrameSink sink) {
        int count = Math.min(toSkip, in.remaining());
        crc.update(in, in.position(), count);
        in.position(in.position() + count);
        toSkip -= count;
        if (toSkip == 0) {
            endSkipping(sink);
        }
    }

    private void endSkipping(FrameSink sink) {
        skipping = false;
        gatheredLength = 0;
        view.wrap(gathered, 0);
        if (crc.value() != view.crc()) {
            fault(FrameFault.WRONG_CRC, sink);
        } else if ((view.typeCode() & MessageType.ANSWER) == 0) {
            sink.unknownType(view);
        }
    }

    private void deliver(ByteBuffer buffer, int at, FrameSink sink) {
        view.wrap(buffer, at);
        if (crc.ofFrame(buffer, at, (int) view.payloadLength()) == view.crc()) {
            sink.frame(view);
        } else {
            fault(FrameFault.WRONG_CRC, sink);
        }
    }

    private boolean acceptsHeader(FrameView header, FrameSink sink) {
        if (header.magic() != FrameView.MAGIC) {
            fault(FrameFault.WRONG_MAGIC, sink);
        } else if (header.version() != FrameView.VERSION) {
            fault(FrameFault.UNSUPPORTED_VERSION, sink);
        } else if (header.payloadLength() > Replies.maxPayloadBytes(header)) {
            fault(FrameFault.TOO_LARGE, sink);
        }
        return !faulty;
    }

    /** Whether the bytes of the magic that have come are right: who speaks something else is dropped at its first bytes. */
    private boolean magicSoFar() {
        for (int i = 0; i < Math.min(4, gatheredLength); i++) {
            if (gathered.get(i) != (byte) (FrameView.MAGIC >>> (8 * i))) {
                view.wrap(gathered, 0);
                return false;
            }
        }
        return true;
    }

    private void fault(FrameFault fault, FrameSink sink) {
        faulty = true;
        sink.fault(fault, view);
        gathered = ByteBuffer.allocate(0);
    }

    /** Moves up to so many bytes into the gathering buffer, which grows to hold what has come. */
    private void take(ByteBuffer in, int wanted) {
        int count = Math.min(wanted, in.remaining());
        int needed = gatheredLength + count;
        if (needed > gathered.capacity()) {
            int room = Math.min(
                    Math.max(needed, 2 * gathered.capacity()), FrameView.HEADER_LENGTH + Limits.MAX_PAYLOAD_BYTES);
            gathered = ByteBuffer.allocate(room).put(0, gathered, 0, gatheredLength);
        }
        gathered.put(gatheredLength, in, in.position(), count);
        in.position(in.position() + count);
        gatheredLength = needed;
    }
}
