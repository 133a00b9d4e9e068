// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.UnixDatagrams;
import org.osgi.service.component.annotations.Component;

/** {@link UnixDatagrams} by {@code sendto}; addresses as unix(7) writes them down. */
@Component(service = UnixDatagrams.class)
public final class LibcUnixDatagrams implements UnixDatagrams {
    /** sizeof sun_path, unix(7); a path needs its zero in there too. */
    private static final int LONGEST_ADDRESS = 108;

    @Override
    public void send(String address, byte[] message, Duration atMost) throws ErrnoException {
        byte[] cAddress = address(address);
        int fd = LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw new ErrnoException("socket", "AF_UNIX", Native.getLastError());
        }
        try {
            byte[] timeout = timeval(atMost);
            if (LibC.setsockopt(fd, LibC.SOL_SOCKET, LibC.SO_SNDTIMEO, timeout, timeout.length) < 0) {
                throw new ErrnoException("setsockopt", "SO_SNDTIMEO", Native.getLastError());
            }
            while (LibC.sendto(fd, message, message.length, LibC.MSG_NOSIGNAL, cAddress, cAddress.length) < 0) {
                int error = Native.getLastError();
                // the JVM's own signals (thread dumps, profilers) interrupt a wait for room
                if (error != Errno.EINTR.number()) {
                    throw new ErrnoException("sendto", address, error);
                }
            }
        } finally {
            LibC.close(fd);
        }
    }

    /** struct sockaddr_un: the family in the machine's byte order, then the path with its zero, or a zero and the name. */
    private static byte[] address(String text) {
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
    private static byte[] timeval(Duration duration) {
        long micros = Math.max(1, (duration.toNanos() + 999) / 1000);
        return ByteBuffer.allocate(2 * Long.BYTES)
                .order(ByteOrder.nativeOrder())
                .putLong(micros / 1_000_000)
                .putLong(micros % 1_000_000)
                .array();
    }
}
