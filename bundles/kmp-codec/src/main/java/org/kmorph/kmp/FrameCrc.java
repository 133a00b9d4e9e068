// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import org.kmorph.kmp.wire.Limits;

/** The checksum of a frame, in pieces as they come. Not thread-safe; allocates nothing over array-backed or direct buffers. */
final class FrameCrc {
    private static final int COPIED_AT_ONCE = 4096;

    private final CRC32 crc = new CRC32();

    private final byte[] zeros = new byte[4];

    /** Where small frames are copied to, so that their checksum can be zeroed and one call does the rest. */
    private final byte[] small = new byte[FrameView.HEADER_LENGTH + Limits.MAX_SMALL_PAYLOAD_BYTES];

    /** Of a whole frame that begins at an index. */
    int ofFrame(ByteBuffer buffer, int at, int payloadLength) {
        int length = FrameView.HEADER_LENGTH + payloadLength;
        if (length <= small.length) {
            buffer.get(at, small, 0, length);
            System.arraycopy(zeros, 0, small, FrameView.CRC, zeros.length);
            crc.reset();
            crc.update(small, 0, length);
            return value();
        }
        beginWithHeader(buffer, at);
        update(buffer, at + FrameView.HEADER_LENGTH, payloadLength);
        return value();
    }

    void begin() {
        crc.reset();
    }

    /** Begins with a frame's header, its checksum taken as 0. */
    void beginWithHeader(ByteBuffer buffer, int at) {
        begin();
        update(buffer, at, FrameView.CRC);
        crc.update(zeros, 0, zeros.length);
        update(buffer, at + FrameView.CRC + zeros.length, FrameView.HEADER_LENGTH - FrameView.CRC - zeros.length);
    }

    /** Goes on with bytes of the payload. */
    void update(ByteBuffer buffer, int at, int length) {
        if (buffer.hasArray()) {
            crc.update(buffer.array(), buffer.arrayOffset() + at, length);
        } else if (buffer.isDirect()) {
            int position = buffer.position();
            int limit = buffer.limit();
            buffer.limit(at + length).position(at);
            crc.update(buffer);
            buffer.limit(limit).position(position);
        } else {
            updateByCopy(buffer, at, length);
        }
    }

    int value() {
        return (int) crc.getValue();
    }

    private void updateByCopy(ByteBuffer buffer, int at, int length) {
        byte[] copy = new byte[Math.min(length, COPIED_AT_ONCE)];
        for (int done = 0; done < length; done += copy.length) {
            int count = Math.min(copy.length, length - done);
            buffer.get(at + done, copy, 0, count);
            crc.update(copy, 0, count);
        }
    }
}
