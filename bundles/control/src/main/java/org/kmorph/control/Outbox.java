// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What is on its way to one client: bounded, so that a command whose client does not read waits, and no one else. Commands
 * put frames in on their own threads; the I/O thread takes them out and never waits.
 *
 * <p>An interrupted thread is a cancelled command that may want to say how far it got: it still gets its words in while there
 * is room, and waits for room only {@link #FAREWELL}. After that the client has given up its right to the rest, and output is dropped.
 */
final class Outbox {
    /** The most that waits for a client, in bytes. */
    static final int LIMIT = 128 * 1024;

    /** How long a cancelled command waits for a client that does not read. */
    static final Duration FAREWELL = Duration.ofSeconds(2);

    private static final int CHUNK = 16 * 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition room = lock.newCondition();
    private final Deque<Chunk> waiting = new ArrayDeque<>();
    private final Runnable onWork;
    private int bytes;
    private boolean dropping;
    private boolean over;

    /** @param onWork called when there is something to take and was nothing before; must not wait */
    Outbox(Runnable onWork) {
        this.onWork = onWork;
    }

    /** Sends bytes of a stream; waits for room. Dropped when the client is gone. */
    void data(FrameType stream, byte[] from, int offset, int length) throws InterruptedIOException {
        int sent = 0;
        while (sent < length) {
            int n = Math.min(length - sent, CHUNK);
            put(stream, from, offset + sent, n);
            sent += n;
        }
    }

    /** Sends a frame in its turn; waits for room. Dropped when the client is gone. */
    void frame(Frame frame) throws InterruptedIOException {
        put(frame.type(), frame.payload(), 0, frame.payload().length);
    }

    /** Sends without waiting; for the few frames that the connection itself says. */
    void urgent(Frame frame) {
        append(frame.type(), frame.payload(), 0, frame.payload().length, false);
    }

    /** The last word to this client; nothing after it is sent. Does not wait. */
    void last(Frame frame) {
        append(frame.type(), frame.payload(), 0, frame.payload().length, true);
    }

    /** The client is gone: forgets all, and lets those go on that wait for room. */
    void abandon() {
        lock.lock();
        try {
            dropping = true;
            over = true;
            waiting.clear();
            bytes = 0;
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The next bytes to write; empty when there is nothing now. For the I/O thread. */
    Optional<ByteBuffer> take() {
        lock.lock();
        try {
            Optional<Chunk> chunk = Optional.ofNullable(waiting.poll());
            chunk.ifPresent(c -> bytes -= c.length);
            if (bytes < LIMIT) {
                room.signalAll();
            }
            return chunk.map(Chunk::encoded);
        } finally {
            lock.unlock();
        }
    }

    /** Whether the last word was said and all is taken. */
    boolean finished() {
        lock.lock();
        try {
            return over && waiting.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private void put(FrameType type, byte[] from, int offset, int length) throws InterruptedIOException {
        lock.lock();
        try {
            awaitRoom();
            append(type, from, offset, length, false);
        } finally {
            lock.unlock();
        }
    }

    private void awaitRoom() throws InterruptedIOException {
        boolean cancelled = Thread.interrupted();
        long left = FAREWELL.toNanos();
        try {
            while (bytes >= LIMIT && !dropping) {
                try {
                    if (!cancelled) {
                        room.await();
                    } else if (left > 0) {
                        left = room.awaitNanos(left);
                    } else {
                        dropping = true;
                        throw new InterruptedIOException("cancelled, and the client does not read");
                    }
                } catch (InterruptedException e) {
                    cancelled = true;
                }
            }
        } finally {
            if (cancelled) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void append(FrameType type, byte[] from, int offset, int length, boolean last) {
        boolean wasEmpty;
        lock.lock();
        try {
            if (over || dropping && !last) {
                return;
            }
            wasEmpty = waiting.isEmpty();
            Chunk tail = waiting.peekLast();
            if (tail == null || !tail.takes(type, length)) {
                tail = new Chunk(type, length);
                waiting.add(tail);
            }
            tail.add(from, offset, length);
            bytes += length;
            over = last;
        } finally {
            lock.unlock();
        }
        if (wasEmpty) {
            onWork.run();
        }
    }

    /** A frame that can still grow while nobody has taken it: many small prints become one frame. */
    private static final class Chunk {
        private final FrameType type;
        private byte[] frame;
        private int length;

        Chunk(FrameType type, int size) {
            this.type = type;
            this.frame = new byte[Frame.HEADER + size];
        }

        boolean takes(FrameType more, int size) {
            boolean stream = type == FrameType.STDOUT || type == FrameType.STDERR;
            return stream && type == more && length + size <= CHUNK;
        }

        void add(byte[] from, int offset, int size) {
            int end = Frame.HEADER + length;
            if (end + size > frame.length) {
                frame = Arrays.copyOf(frame, Math.max(end + size, Math.min(2 * frame.length, Frame.HEADER + CHUNK)));
            }
            System.arraycopy(from, offset, frame, end, size);
            length += size;
        }

        ByteBuffer encoded() {
            ByteBuffer b = ByteBuffer.wrap(frame, 0, Frame.HEADER + length);
            b.put(0, type.code()).putInt(1, length);
            return b;
        }
    }
}
