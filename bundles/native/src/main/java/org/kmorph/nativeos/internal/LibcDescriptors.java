// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;
import org.kmorph.nativeos.Descriptors;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.osgi.service.component.annotations.Component;

/** {@link Descriptors} by eventfd(2) and mmap(2). */
@Component(service = Descriptors.class)
public final class LibcDescriptors implements Descriptors {
    /** eventfd(2): a counter is read and written as 8 bytes in the machine's order. */
    private static final byte[] ONE = ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.nativeOrder())
            .putLong(1)
            .array();

    /** struct pollfd, poll.h: the descriptor, then events and what came of them, 16 bits each. */
    private static final int POLLFD_BYTES = 8;

    @Override
    public void close(int fd) {
        LibC.close(fd);
    }

    @Override
    public int newCounter() throws ErrnoException {
        int fd = LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK);
        if (fd < 0) {
            throw new ErrnoException("eventfd", "", Native.getLastError());
        }
        return fd;
    }

    @Override
    public void signal(int counter) throws ErrnoException {
        int error = addOne(counter);
        if (error != 0 && error != Errno.EAGAIN.number()) {
            throw new ErrnoException("write", "event counter " + counter, error);
        }
    }

    /** @return errno, or 0 */
    static int addOne(int counter) {
        while (LibC.write(counter, ONE, ONE.length) < 0) {
            int error = Native.getLastError();
            if (error != Errno.EINTR.number()) {
                return error;
            }
        }
        return 0;
    }

    @Override
    public void drain(int counter) throws ErrnoException {
        try (Memory polled = new Memory(POLLFD_BYTES)) {
            polled.setInt(0, counter);
            polled.setInt(Integer.BYTES, LibC.POLLIN);
            if (LibC.poll(polled, 1, 0) <= 0) {
                return;
            }
        }
        if (LibC.read(counter, new byte[Long.BYTES], Long.BYTES) < 0) {
            int error = Native.getLastError();
            if (error != Errno.EAGAIN.number() && error != Errno.EINTR.number()) {
                throw new ErrnoException("read", "event counter " + counter, error);
            }
        }
    }

    @Override
    public Mapping map(int fd, long mostBytes) throws ErrnoException {
        long bytes = LibC.lseek(fd, 0, LibC.SEEK_END);
        if (bytes <= 0 || bytes > mostBytes) {
            int error = bytes < 0 ? Native.getLastError() : bytes == 0 ? Errno.EINVAL.number() : Errno.EFBIG.number();
            throw new ErrnoException("mmap", "descriptor " + fd + " of " + bytes + " bytes", error);
        }
        Pointer address = LibC.mmap(Pointer.NULL, bytes, LibC.PROT_READ_WRITE, LibC.MAP_SHARED, fd, 0);
        // MAP_FAILED, sys/mman.h
        if (Pointer.nativeValue(address) == -1) {
            throw new ErrnoException("mmap", "descriptor " + fd, Native.getLastError());
        }
        return new Mapped(address, bytes, address.getByteBuffer(0, bytes), new AtomicBoolean());
    }

    private record Mapped(Pointer address, long bytes, ByteBuffer memory, AtomicBoolean closed) implements Mapping {
        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                LibC.munmap(address, bytes);
            }
        }
    }
}
