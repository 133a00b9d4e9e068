// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.VsockSockets;
import org.osgi.service.component.annotations.Component;

/** {@link VsockSockets} by the C library. */
@Component(service = VsockSockets.class)
public final class LibcVsockSockets implements VsockSockets {
    /** IOCTL_VM_SOCKETS_GET_LOCAL_CID, linux/vm_sockets.h: _IO(7, 0xb9). */
    private static final long GET_LOCAL_CID = 0x7b9;

    private static final byte[] DEVICE = CStrings.terminated("/dev/vsock");

    @Override
    public int open() throws ErrnoException {
        return check(
                LibC.socket(LibC.AF_VSOCK, LibC.SOCK_STREAM | LibC.SOCK_NONBLOCK | LibC.SOCK_CLOEXEC, 0),
                "socket",
                "AF_VSOCK");
    }

    @Override
    public boolean connect(int fd, long cid, long port) throws ErrnoException {
        byte[] address = Addresses.vsock(cid, port);
        if (LibC.connect(fd, address, address.length) == 0) {
            return true;
        }
        int error = Native.getLastError();
        // interrupted, it goes on as one that does not block
        if (error == Errno.EINPROGRESS.number() || error == Errno.EINTR.number()) {
            return false;
        }
        throw new ErrnoException("connect", cid + ":" + port, error);
    }

    @Override
    public void finishConnect(int fd) throws ErrnoException {
        pending(fd, "connect");
    }

    @Override
    public void checkError(int fd) throws ErrnoException {
        pending(fd, "readv");
    }

    private static void pending(int fd, String call) throws ErrnoException {
        int[] error = new int[1];
        check(
                LibC.getsockopt(fd, LibC.SOL_SOCKET, LibC.SO_ERROR, error, new int[] {Integer.BYTES}),
                "getsockopt",
                "SO_ERROR");
        if (error[0] != 0) {
            throw new ErrnoException(call, "", error[0]);
        }
    }

    @Override
    public void bind(int fd, long cid, long port) throws ErrnoException {
        byte[] address = Addresses.vsock(cid, port);
        check(LibC.bind(fd, address, address.length), "bind", cid + ":" + port);
    }

    @Override
    public void listen(int fd, int backlog) throws ErrnoException {
        check(LibC.listen(fd, backlog), "listen", "");
    }

    @Override
    public Address address(int fd) throws ErrnoException {
        byte[] address = new byte[Addresses.VSOCK_BYTES];
        check(LibC.getsockname(fd, address, new int[] {address.length}), "getsockname", "");
        return Addresses.vsock(address);
    }

    @Override
    public Optional<Accepted> accept(int fd) throws ErrnoException {
        byte[] peer = new byte[Addresses.VSOCK_BYTES];
        int made = LibC.accept4(fd, peer, new int[] {peer.length}, LibC.SOCK_NONBLOCK | LibC.SOCK_CLOEXEC);
        if (made >= 0) {
            return Optional.of(new Accepted(made, Addresses.vsock(peer)));
        }
        orLater("accept4");
        return Optional.empty();
    }

    @Override
    public long read(int fd, List<ByteBuffer> buffers) throws ErrnoException {
        long count = Vectors.over(buffers, (vectors, number) -> LibC.readv(fd, vectors, number));
        if (count >= 0) {
            return count == 0 && buffers.stream().anyMatch(ByteBuffer::hasRemaining) ? -1 : count;
        }
        return orLater("readv");
    }

    @Override
    public long write(int fd, List<ByteBuffer> buffers) throws ErrnoException {
        long count = Vectors.over(buffers, (vectors, number) -> LibC.writev(fd, vectors, number));
        return count >= 0 ? count : orLater("writev");
    }

    @Override
    public OptionalLong localCid() throws ErrnoException {
        int fd = LibC.open(DEVICE, LibC.O_RDONLY | LibC.O_CLOEXEC);
        if (fd < 0) {
            int error = Native.getLastError();
            if (error == Errno.ENOENT.number() || error == Errno.ENODEV.number() || error == Errno.ENXIO.number()) {
                return OptionalLong.empty();
            }
            throw new ErrnoException("open", "/dev/vsock", error);
        }
        try (Memory cid = new Memory(Integer.BYTES)) {
            check(LibC.ioctl(fd, GET_LOCAL_CID, cid), "ioctl", "/dev/vsock");
            long number = Integer.toUnsignedLong(cid.getInt(0));
            return number == ANY ? OptionalLong.empty() : OptionalLong.of(number);
        } finally {
            LibC.close(fd);
        }
    }

    /** After a failed call: 0 when it is to be tried again once the descriptor is ready. */
    private static long orLater(String call) throws ErrnoException {
        int error = Native.getLastError();
        if (error == Errno.EAGAIN.number() || error == Errno.EINTR.number()) {
            return 0;
        }
        throw new ErrnoException(call, "", error);
    }

    private static int check(int result, String call, String subject) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(call, subject, Native.getLastError());
        }
        return result;
    }
}
