// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.kmorph.nativeos.VsockSockets.Address;

/** Addresses and times as the C library's structures. */
final class Addresses {
    /** sizeof sun_path, unix(7); a path needs its zero in there too. */
    private static final int LONGEST_ADDRESS = 108;

    /** sizeof struct sockaddr_vm, linux/vm_sockets.h: family, reserved, port, cid, flags and zeroes. */
    static final int VSOCK_BYTES = 16;

    private Addresses() {}

    /** struct sockaddr_un: the family in the machine's byte order, then the path with its zero, or a zero and the name. */
    static byte[] unix(String text) {
        boolean inAbstract = text.startsWith("@");
        if (!inAbstract && !text.startsWith("/")) {
            throw new IllegalArgumentException("\"" + text
                    + "\" is no address of a Unix socket; an absolute path, or @ and an abstract name was expected");
        }
        byte[] name = text.getBytes(StandardCharsets.UTF_8);
        int length = inAbstract ? name.length : name.length + 1;
        if (length > LONGEST_ADDRESS || !inAbstract && text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("the Unix socket address \"" + text + "\" has " + name.length
                    + " bytes; at most 107, none of them zero, were expected");
        }
        if (inAbstract) {
            name[0] = 0;
        }
        return ByteBuffer.allocate(Short.BYTES + length)
                .order(ByteOrder.nativeOrder())
                .putShort((short) LibC.AF_UNIX)
                .put(name)
                .array();
    }

    /** struct timeval of two 64-bit fields; all zero would mean for ever, so it is at least a microsecond. */
    static byte[] timeval(Duration duration) {
        long micros = Math.max(1, (duration.toNanos() + 999) / 1000);
        return ByteBuffer.allocate(2 * Long.BYTES)
                .order(ByteOrder.nativeOrder())
                .putLong(micros / 1_000_000)
                .putLong(micros % 1_000_000)
                .array();
    }

    static byte[] vsock(long cid, long port) {
        return ByteBuffer.allocate(VSOCK_BYTES)
                .order(ByteOrder.nativeOrder())
                .putShort((short) LibC.AF_VSOCK)
                .putShort((short) 0)
                .putInt(unsigned("port", port))
                .putInt(unsigned("context id", cid))
                .array();
    }

    static Address vsock(byte[] address) {
        ByteBuffer read = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
        return new Address(Integer.toUnsignedLong(read.getInt(8)), Integer.toUnsignedLong(read.getInt(4)));
    }

    private static int unsigned(String what, long value) {
        if (value < 0 || value > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException("a " + what + " is 0 to 4294967295, not " + value);
        }
        return (int) value;
    }
}
