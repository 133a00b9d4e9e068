// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The caller's standard input. The client sends only what it has credit for, and gets credit only when a command reads: a
 * command that reads nothing takes nothing from the caller's script, and at most {@link #WINDOW} bytes wait here.
 */
final class StdinPipe extends InputStream {
    /** The most that is under way and unread, in bytes. */
    static final int WINDOW = 64 * 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private byte[] ring = {};
    private final Credit credit;
    private int first;
    private int buffered;
    private int outstanding;
    private boolean ended;

    /** Lets the client send more. */
    @FunctionalInterface
    interface Credit {
        void grant(int bytes) throws IOException;
    }

    StdinPipe(Credit credit) {
        this.credit = credit;
    }

    /** Takes what the client sent. Never waits. @throws Refusal when the client had no credit for it */
    void arrived(byte[] data) throws Refusal {
        lock.lock();
        try {
            if (ended) {
                return;
            }
            if (data.length > outstanding) {
                throw Refusal.malformed(data.length + " bytes of standard input with credit for " + outstanding);
            }
            outstanding -= data.length;
            int end = (first + buffered) % WINDOW;
            int n = Math.min(data.length, WINDOW - end);
            System.arraycopy(data, 0, ring, end, n);
            System.arraycopy(data, n, ring, 0, data.length - n);
            buffered += data.length;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** No more will come: readers get what is left, and then end of file. */
    void end() {
        lock.lock();
        try {
            ended = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, to.length);
        if (length == 0) {
            return 0;
        }
        ask();
        lock.lock();
        try {
            while (buffered == 0 && !ended) {
                arrived.await();
            }
            if (buffered == 0) {
                return -1;
            }
            int n = Math.min(length, buffered);
            int head = Math.min(n, WINDOW - first);
            System.arraycopy(ring, first, to, offset, head);
            System.arraycopy(ring, 0, to, offset + head, n - head);
            first = (first + n) % WINDOW;
            buffered -= n;
            return n;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("cancelled while reading standard input").initCause(e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int available() {
        lock.lock();
        try {
            return buffered;
        } finally {
            lock.unlock();
        }
    }

    private void ask() throws IOException {
        int grant;
        lock.lock();
        try {
            int used = buffered + outstanding;
            grant = ended || used > WINDOW / 2 ? 0 : WINDOW - used;
            outstanding += grant;
            if (grant > 0 && ring.length == 0) {
                ring = new byte[WINDOW]; // most commands never read
            }
        } finally {
            lock.unlock();
        }
        if (grant > 0) {
            credit.grant(grant);
        }
    }
}
