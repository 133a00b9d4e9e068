// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.stream;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of a vsock frame: {@code struct virtio_vsock_hdr} of the OASIS virtio 1.2 specification, section 5.10.6; little-endian.
 * Context ids and ports are unsigned, the counters wrap.
 *
 * @param length bytes of payload after it
 * @param type {@link #STREAM} is all that we speak
 * @param op one of {@link Op}'s numbers, or anything else from a peer that errs
 */
public record Header(
        long sourceCid,
        long destinationCid,
        long sourcePort,
        long destinationPort,
        int length,
        int type,
        int op,
        int flags,
        int bufferAllocated,
        int forwarded) {

    public static final int BYTES = 44;

    public static final int STREAM = 1;

    /** Reads one at the buffer's position, which moves. */
    public static Header read(ByteBuffer from) {
        from.order(ByteOrder.LITTLE_ENDIAN);
        return new Header(
                from.getLong(),
                from.getLong(),
                Integer.toUnsignedLong(from.getInt()),
                Integer.toUnsignedLong(from.getInt()),
                from.getInt(),
                Short.toUnsignedInt(from.getShort()),
                Short.toUnsignedInt(from.getShort()),
                from.getInt(),
                from.getInt(),
                from.getInt());
    }

    /** Writes it at the buffer's position, which moves. */
    public void write(ByteBuffer to) {
        to.order(ByteOrder.LITTLE_ENDIAN)
                .putLong(sourceCid)
                .putLong(destinationCid)
                .putInt((int) sourcePort)
                .putInt((int) destinationPort)
                .putInt(length)
                .putShort((short) type)
                .putShort((short) op)
                .putInt(flags)
                .putInt(bufferAllocated)
                .putInt(forwarded);
    }

    /** The reset that answers a frame of a connection that there is not. */
    public Header reset() {
        return new Header(destinationCid, sourceCid, destinationPort, sourcePort, 0, type, Op.RST.number(), 0, 0, 0);
    }
}
