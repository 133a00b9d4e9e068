// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;

/** What a terminal's user has typed and the command has not read yet, at most 64 KiB. Thread-safe. */
final class KeyInput extends InputStream {
    private static final int CAPACITY = 64 << 10;

    private final byte[] ring = new byte[CAPACITY];
    private int head;
    private int count;
    private boolean ended;
    /** Ends of file that were typed (Ctrl-D on an empty line): each ends one read, as a terminal's does. */
    private boolean endTyped;

    /**
     * Adds bytes as far as there is room.
     *
     * @return how many were added
     */
    synchronized int offer(byte[] bytes, int offset, int length) {
        int added = Math.min(length, CAPACITY - count);
        for (int i = 0; i < added; i++) {
            ring[(head + count + i) % CAPACITY] = bytes[offset + i];
        }
        count += added;
        notifyAll();
        return added;
    }

    /** Adds all bytes, waiting for room. */
    synchronized void put(byte[] bytes, int offset, int length) throws InterruptedException {
        int from = offset;
        int left = length;
        while (left > 0 && !ended) {
            int added = offer(bytes, from, left);
            from += added;
            left -= added;
            if (left > 0) {
                wait();
            }
        }
    }

    /** The user typed the end of file: what is there can be read, then one read finds the end. */
    synchronized void typeEnd() {
        endTyped = true;
        notifyAll();
    }

    /** Nothing more will come. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    @Override
    public synchronized int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public synchronized int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (count == 0) {
            if (endTyped || ended) {
                endTyped = false;
                return -1;
            }
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                InterruptedIOException interrupted = new InterruptedIOException("cancelled while reading the terminal");
                interrupted.initCause(e);
                throw interrupted;
            }
        }
        int taken = Math.min(length, count);
        for (int i = 0; i < taken; i++) {
            bytes[offset + i] = ring[(head + i) % CAPACITY];
        }
        head = (head + taken) % CAPACITY;
        count -= taken;
        notifyAll();
        return taken;
    }

    @Override
    public synchronized int available() {
        return count;
    }
}
