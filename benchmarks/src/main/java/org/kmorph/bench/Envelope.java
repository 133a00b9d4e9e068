// SPDX-License-Identifier: Apache-2.0
package org.kmorph.bench;

import java.util.zip.CRC32;
import org.agrona.concurrent.UnsafeBuffer;

/** What stands around a peer's message so that it does what a KMP frame does: its length and the CRC-32 of its bytes. */
final class Envelope {
    static final int LENGTH = 8;

    private final CRC32 crc = new CRC32();

    void seal(UnsafeBuffer buffer, byte[] bytes, int at, int length) {
        buffer.putInt(at, length);
        buffer.putInt(at + 4, checksum(bytes, at, length));
    }

    /** Checks the envelope and gives the message's length. */
    int open(UnsafeBuffer buffer, byte[] bytes, int at) {
        int length = buffer.getInt(at);
        if (length < 0 || length > bytes.length - at - LENGTH || buffer.getInt(at + 4) != checksum(bytes, at, length)) {
            throw new IllegalStateException("the envelope at " + at + " is not as it was sealed");
        }
        return length;
    }

    private int checksum(byte[] bytes, int at, int length) {
        crc.reset();
        crc.update(bytes, at + LENGTH, length);
        return (int) crc.getValue();
    }
}
