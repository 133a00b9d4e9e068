// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.Arrays;
import java.util.TreeSet;

/**
 * A file on a disk: what was written is in the page cache until it is synced, and of what is not, each sector may or may not survive a loss
 * of power. A daemon that dies loses nothing that it has written.
 */
class Disk {
    private static final int SECTOR = 512;

    private final TreeSet<Integer> dirty = new TreeSet<>();
    private byte[] cached = new byte[SECTOR];
    private byte[] durable = new byte[SECTOR];
    private int size;
    private boolean full;
    private boolean lies;
    private long slowNanos;

    byte[] read() {
        return Arrays.copyOf(cached, size);
    }

    int size() {
        return size;
    }

    /** Cuts off what is behind: what a torn write has left. */
    void truncate(int length) {
        Arrays.fill(cached, length, size, (byte) 0);
        for (int at = length / SECTOR; at <= size / SECTOR; at++) {
            dirty.add(at);
        }
        size = length;
    }

    void append(byte[] bytes) {
        int needed = (size + bytes.length) / SECTOR * SECTOR + SECTOR;
        if (needed > cached.length) {
            cached = Arrays.copyOf(cached, 2 * needed);
            durable = Arrays.copyOf(durable, 2 * needed);
        }
        System.arraycopy(bytes, 0, cached, size, bytes.length);
        for (int at = size / SECTOR; at <= (size + bytes.length) / SECTOR; at++) {
            dirty.add(at);
        }
        size += bytes.length;
    }

    /** @return whether it did what it says, which is that it has synced */
    boolean sync() {
        if (!lies) {
            dirty.forEach(this::keep);
            dirty.clear();
        }
        return !lies;
    }

    private void keep(int sector) {
        System.arraycopy(cached, sector * SECTOR, durable, sector * SECTOR, SECTOR);
    }

    void powerFails(Dice dice) {
        dirty.stream().filter(sector -> dice.chance(0.5)).forEach(this::keep);
        dirty.clear();
        cached = durable.clone();
    }

    boolean full() {
        return full;
    }

    void full(boolean now) {
        full = now;
    }

    void lies(boolean now) {
        lies = now;
    }

    long slowNanos() {
        return slowNanos;
    }

    /** What each write takes longer. */
    void slow(long nanos) {
        slowNanos = nanos;
    }
}
