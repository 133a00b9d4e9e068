// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.kmorph.nativeos.DescriptorSockets;
import org.kmorph.nativeos.Descriptors;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.Poller;

/**
 * A shim that keeps a link, and the operating system that its descriptors are of: numbers that are given out, rung and given back. What
 * is held is counted. Thread-safe.
 */
final class FakeKeeper implements DescriptorSockets, Descriptors, Poller {
    static final int VECTORS = 2;
    private static final int BYTES = 1 << 20;

    private final ByteBuffer memory = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final Set<Integer> open = new HashSet<>();
    private final Set<Integer> readable = new HashSet<>();
    private final Set<Integer> watched = new HashSet<>();
    private final Deque<String> answers = new ArrayDeque<>();
    private final List<Integer> doorbells = new ArrayList<>();
    private Runnable rungByHost = () -> {};
    private int keeper = -1;
    private int next = 100;
    private int mappings;
    private int asked;
    private boolean woken;
    private boolean listening = true;
    private int shortOf;

    ByteBuffer memory() {
        return memory;
    }

    /** What the keeper says first, before it gives the link. */
    synchronized void saysFirst(String... lines) {
        answers.addAll(List.of(lines));
    }

    synchronized void listens(boolean now) {
        listening = now;
    }

    /** Gives so many descriptors too few with the next link. */
    synchronized void forgets(int descriptors) {
        shortOf = descriptors;
    }

    synchronized void onRing(Runnable then) {
        rungByHost = then;
    }

    synchronized int timesAsked() {
        return asked;
    }

    /** All that was given out and has not come back: descriptors, and mappings of memory. */
    synchronized int held() {
        return open.size() + mappings;
    }

    /** The kernel rings the host. */
    synchronized void ring() {
        if (!doorbells.isEmpty()) {
            readable.add(doorbells.get(0));
            notifyAll();
        }
    }

    /** The keeper goes. */
    synchronized void dies() {
        readies(keeper);
    }

    /** A descriptor becomes ready. */
    synchronized void readies(int fd) {
        readable.add(fd);
        notifyAll();
    }

    /** A new descriptor. */
    synchronized int make() {
        int made = next++;
        open.add(made);
        return made;
    }

    @Override
    public synchronized DescriptorSocket connect(Path path, Duration patience) throws ErrnoException {
        if (!listening) {
            throw new ErrnoException("connect", path.toString(), Errno.ECONNREFUSED.number());
        }
        return new Line(make());
    }

    @Override
    public synchronized void close(int fd) {
        if (!open.remove(fd) || watched.contains(fd)) {
            throw new AssertionError("descriptor " + fd + " was closed twice, or is watched still");
        }
        readable.remove(fd);
    }

    @Override
    public int newCounter() {
        throw new AssertionError("nobody asks for counters here");
    }

    @Override
    public void signal(int counter) {
        Runnable then;
        synchronized (this) {
            if (!open.contains(counter)) {
                throw new AssertionError("descriptor " + counter + " is closed");
            }
            then = rungByHost;
        }
        then.run();
    }

    @Override
    public synchronized void drain(int counter) {
        readable.remove(counter);
    }

    @Override
    public synchronized Mapping map(int fd, long mostBytes) {
        mappings++;
        return new Mapping() {
            private boolean closed;

            @Override
            public ByteBuffer memory() {
                return memory.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            }

            @Override
            public void close() {
                synchronized (FakeKeeper.this) {
                    mappings -= closed ? 0 : 1;
                    closed = true;
                }
            }
        };
    }

    @Override
    public synchronized void watch(int fd, boolean reading, boolean writing) {
        watched.add(fd);
    }

    @Override
    public synchronized void forget(int fd) {
        watched.remove(fd);
    }

    @Override
    public void await(int millis, Ready ready) {
        List<Integer> now;
        synchronized (this) {
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
            while (!woken && readable.stream().noneMatch(watched::contains) && System.nanoTime() < end) {
                try {
                    TimeUnit.NANOSECONDS.timedWait(this, Math.max(1, end - System.nanoTime()));
                } catch (InterruptedException e) {
                    return;
                }
            }
            woken = false;
            now = readable.stream().filter(watched::contains).toList();
        }
        now.forEach(fd -> ready.ready(fd, true, false));
    }

    @Override
    public synchronized void wake() {
        woken = true;
        notifyAll();
    }

    @Override
    public synchronized void close() {
        watched.clear();
    }

    private final class Line implements DescriptorSocket {
        private final int fd;
        private boolean closed;

        Line(int fd) {
            this.fd = fd;
        }

        @Override
        public int fd() {
            return fd;
        }

        @Override
        public void send(byte[] bytes) {
            synchronized (FakeKeeper.this) {
                if (!new String(bytes, StandardCharsets.US_ASCII).equals("LINK\n")) {
                    throw new AssertionError("not a request for the link");
                }
                asked++;
            }
        }

        @Override
        public Message receive(int mostBytes, int mostDescriptors) {
            synchronized (FakeKeeper.this) {
                if (readable.contains(fd)) {
                    return new Message(new byte[0], List.of());
                }
                if (!answers.isEmpty()) {
                    return new Message((answers.remove() + "\n").getBytes(StandardCharsets.US_ASCII), List.of());
                }
                keeper = fd;
                doorbells.clear();
                List<Integer> all = new ArrayList<>();
                for (int i = 0; i < 1 + 2 * VECTORS - shortOf; i++) {
                    all.add(make());
                }
                shortOf = 0;
                doorbells.addAll(all.subList(1, all.size()));
                return new Message(("LINK " + BYTES + " " + VECTORS + " 7\n").getBytes(StandardCharsets.US_ASCII), all);
            }
        }

        @Override
        public void close() {
            synchronized (FakeKeeper.this) {
                if (!closed) {
                    closed = true;
                    FakeKeeper.this.close(fd);
                }
            }
        }
    }
}
