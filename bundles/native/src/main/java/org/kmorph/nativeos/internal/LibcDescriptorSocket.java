// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.kmorph.nativeos.DescriptorSockets.DescriptorSocket;
import org.kmorph.nativeos.DescriptorSockets.Message;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;

/** A connected Unix socket. */
final class LibcDescriptorSocket implements DescriptorSocket {
    /** struct msghdr and struct cmsghdr of LP64, sys/socket.h. */
    private static final int MSGHDR_BYTES = 56;

    private static final int MSG_IOV = 16;
    private static final int MSG_IOVLEN = 24;
    private static final int MSG_CONTROL = 32;
    private static final int MSG_CONTROLLEN = 40;
    private static final int MSG_FLAGS = 48;
    private static final int CMSGHDR_BYTES = 16;
    private static final int CMSG_LEVEL = 8;
    private static final int CMSG_TYPE = 12;

    private final int fd;
    private final String subject;
    private final AtomicBoolean closed = new AtomicBoolean();

    LibcDescriptorSocket(int fd, String subject) {
        this.fd = fd;
        this.subject = subject;
    }

    @Override
    public int fd() {
        return fd;
    }

    @Override
    public void send(byte[] bytes) throws ErrnoException {
        byte[] left = bytes;
        while (left.length > 0) {
            long sent = LibC.send(fd, left, left.length, LibC.MSG_NOSIGNAL);
            if (sent >= 0) {
                left = Arrays.copyOfRange(left, (int) sent, left.length);
                continue;
            }
            int error = Native.getLastError();
            if (error != Errno.EINTR.number()) {
                throw new ErrnoException("send", subject, error);
            }
        }
    }

    @Override
    public Message receive(int mostBytes, int mostDescriptors) throws ErrnoException {
        // one more than expected, so that too many are seen and closed
        long controlBytes = align(CMSGHDR_BYTES + (mostDescriptors + 1L) * Integer.BYTES);
        try (Memory message = new Memory(MSGHDR_BYTES);
                Memory vector = new Memory(Vectors.IOVEC_BYTES);
                Memory bytes = new Memory(Math.max(1, mostBytes));
                Memory control = new Memory(controlBytes)) {
            message.clear();
            vector.setPointer(0, bytes);
            vector.setLong(Long.BYTES, mostBytes);
            message.setPointer(MSG_IOV, vector);
            message.setLong(MSG_IOVLEN, 1);
            message.setPointer(MSG_CONTROL, control);
            message.setLong(MSG_CONTROLLEN, controlBytes);
            long count = receive(message);
            List<Integer> descriptors = descriptors(control, message.getLong(MSG_CONTROLLEN));
            if (descriptors.size() > mostDescriptors || (message.getInt(MSG_FLAGS) & LibC.MSG_CTRUNC) != 0) {
                descriptors.forEach(LibC::close);
                throw new ErrnoException("recvmsg", subject, Errno.EMSGSIZE.number());
            }
            return new Message(bytes.getByteArray(0, (int) count), descriptors);
        }
    }

    private long receive(Pointer message) throws ErrnoException {
        while (true) {
            long count = LibC.recvmsg(fd, message, LibC.MSG_CMSG_CLOEXEC);
            if (count >= 0) {
                return count;
            }
            int error = Native.getLastError();
            if (error != Errno.EINTR.number()) {
                throw new ErrnoException("recvmsg", subject, error);
            }
        }
    }

    private static List<Integer> descriptors(Pointer control, long length) {
        List<Integer> found = new ArrayList<>();
        for (long at = 0; at + CMSGHDR_BYTES <= length; ) {
            long one = control.getLong(at);
            if (one < CMSGHDR_BYTES || one > length - at) {
                break;
            }
            if (control.getInt(at + CMSG_LEVEL) == LibC.SOL_SOCKET
                    && control.getInt(at + CMSG_TYPE) == LibC.SCM_RIGHTS) {
                for (long fd = at + CMSGHDR_BYTES; fd + Integer.BYTES <= at + one; fd += Integer.BYTES) {
                    found.add(control.getInt(fd));
                }
            }
            at += align(one);
        }
        return found;
    }

    /** CMSG_ALIGN. */
    private static long align(long bytes) {
        return (bytes + Long.BYTES - 1) & -Long.BYTES;
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            LibC.close(fd);
        }
    }
}
