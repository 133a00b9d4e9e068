// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import java.nio.ByteBuffer;
import org.kmorph.kmp.wire.LittleEndian;

/** The payload of KMP_HEARTBEAT_REQ where it lies in a buffer. Allocates and checks nothing. Not thread-safe. */
public final class HeartbeatRequestFlyweight {
    /** Of the payload without items. */
    public static final int LENGTH = 8;

    private ByteBuffer buffer = ByteBuffer.allocate(LENGTH);

    private int at;

    /** Lays it over a buffer of which {@link #LENGTH} bytes from the index are in bounds. */
    public HeartbeatRequestFlyweight wrap(ByteBuffer buffer, int payloadAt) {
        this.buffer = buffer;
        this.at = payloadAt;
        return this;
    }

    /** Bits of {@link org.kmorph.kmp.message.Want}. */
    public int wants() {
        return LittleEndian.i32(buffer, at);
    }

    /** Writes the whole payload. */
    public HeartbeatRequestFlyweight wants(int wants) {
        LittleEndian.put32(buffer, at, wants);
        LittleEndian.put32(buffer, at + 4, 0);
        return this;
    }
}
