// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.util.HashSet;
import java.util.Set;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.Poller;

/** One epoll instance, and an eventfd in it that wakes. */
final class EpollPoller implements Poller {
    /** struct epoll_event, sys/epoll.h: 32 bits of events, then 64 of data; packed on x86-64 alone. */
    private static final boolean PACKED = Platform.isIntel();

    private static final int DATA = PACKED ? 4 : 8;
    private static final int EVENT_BYTES = DATA + Long.BYTES;

    private static final int MOST_EVENTS = 64;

    private final int epoll;
    private final int waker;
    private final Set<Integer> watched = new HashSet<>();
    private final Memory events = new Memory((long) MOST_EVENTS * EVENT_BYTES);
    private final Memory event = new Memory(EVENT_BYTES);
    /** Guards the waker against being used after it was closed, when its number may be another's. */
    private final Object waking = new Object();

    private boolean closed;

    EpollPoller() throws ErrnoException {
        epoll = LibC.epoll_create1(LibC.EPOLL_CLOEXEC);
        if (epoll < 0) {
            throw new ErrnoException("epoll_create1", "", Native.getLastError());
        }
        waker = LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK);
        try {
            if (waker < 0) {
                throw new ErrnoException("eventfd", "", Native.getLastError());
            }
            watch(waker, true, false);
        } catch (ErrnoException e) {
            close();
            throw e;
        }
    }

    @Override
    public void watch(int fd, boolean reading, boolean writing) throws ErrnoException {
        event.setInt(0, (reading ? LibC.EPOLLIN : 0) | (writing ? LibC.EPOLLOUT : 0));
        event.setLong(DATA, fd);
        int operation = watched.contains(fd) ? LibC.EPOLL_CTL_MOD : LibC.EPOLL_CTL_ADD;
        if (LibC.epoll_ctl(epoll, operation, fd, event) < 0) {
            throw new ErrnoException("epoll_ctl", "descriptor " + fd, Native.getLastError());
        }
        watched.add(fd);
    }

    @Override
    public void forget(int fd) {
        if (watched.remove(fd)) {
            LibC.epoll_ctl(epoll, LibC.EPOLL_CTL_DEL, fd, event);
        }
    }

    @Override
    public void await(int millis, Ready ready) throws ErrnoException {
        int count = LibC.epoll_wait(epoll, events, MOST_EVENTS, millis);
        if (count < 0) {
            int error = Native.getLastError();
            // the JVM's own signals end a wait; to the caller it was a short one
            if (error == Errno.EINTR.number()) {
                return;
            }
            throw new ErrnoException("epoll_wait", "", error);
        }
        for (int i = 0; i < count; i++) {
            long at = (long) i * EVENT_BYTES;
            int what = events.getInt(at);
            int fd = (int) events.getLong(at + DATA);
            if (fd == waker) {
                LibC.read(waker, new byte[Long.BYTES], Long.BYTES);
            } else if (watched.contains(fd)) {
                boolean over = (what & (LibC.EPOLLERR | LibC.EPOLLHUP)) != 0;
                ready.ready(fd, over || (what & LibC.EPOLLIN) != 0, over || (what & LibC.EPOLLOUT) != 0);
            }
        }
    }

    @Override
    public void wake() {
        synchronized (waking) {
            if (!closed) {
                LibcDescriptors.addOne(waker);
            }
        }
    }

    @Override
    public void close() {
        synchronized (waking) {
            if (closed) {
                return;
            }
            closed = true;
        }
        if (waker >= 0) {
            LibC.close(waker);
        }
        LibC.close(epoll);
        events.close();
        event.close();
    }
}
