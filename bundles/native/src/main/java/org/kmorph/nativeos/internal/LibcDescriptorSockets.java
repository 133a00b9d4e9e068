// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Native;
import java.nio.file.Path;
import java.time.Duration;
import org.kmorph.nativeos.DescriptorSockets;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.osgi.service.component.annotations.Component;

/** {@link DescriptorSockets} by recvmsg(2), as unix(7) describes it. */
@Component(service = DescriptorSockets.class)
public final class LibcDescriptorSockets implements DescriptorSockets {
    @Override
    public DescriptorSocket connect(Path path, Duration patience) throws ErrnoException {
        String subject = path.toString();
        byte[] address = Addresses.unix(subject);
        int fd = LibC.socket(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw new ErrnoException("socket", "AF_UNIX", Native.getLastError());
        }
        try {
            byte[] timeout = Addresses.timeval(patience);
            for (int option : new int[] {LibC.SO_SNDTIMEO, LibC.SO_RCVTIMEO}) {
                if (LibC.setsockopt(fd, LibC.SOL_SOCKET, option, timeout, timeout.length) < 0) {
                    throw new ErrnoException("setsockopt", subject, Native.getLastError());
                }
            }
            while (LibC.connect(fd, address, address.length) < 0) {
                int error = Native.getLastError();
                if (error == Errno.EISCONN.number()) {
                    break;
                }
                if (error != Errno.EINTR.number()) {
                    throw new ErrnoException("connect", subject, error);
                }
            }
        } catch (ErrnoException e) {
            LibC.close(fd);
            throw e;
        }
        return new LibcDescriptorSocket(fd, subject);
    }
}
