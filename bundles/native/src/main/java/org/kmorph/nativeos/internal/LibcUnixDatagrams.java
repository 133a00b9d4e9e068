// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Native;
import java.time.Duration;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.UnixDatagrams;
import org.osgi.service.component.annotations.Component;

/** {@link UnixDatagrams} by {@code sendto}; addresses as unix(7) writes them down. */
@Component(service = UnixDatagrams.class)
public final class LibcUnixDatagrams implements UnixDatagrams {
    @Override
    public void send(String address, byte[] message, Duration atMost) throws ErrnoException {
        byte[] cAddress = Addresses.unix(address);
        int fd = LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw new ErrnoException("socket", "AF_UNIX", Native.getLastError());
        }
        try {
            byte[] timeout = Addresses.timeval(atMost);
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
}
