// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

/** The newest unanswered heartbeats of a connection; older ones are forgotten. Allocates nothing. Not thread-safe. */
final class HeartbeatRing {
    /** What {@link #take} answers for a heartbeat that is not there. */
    static final long UNKNOWN = Long.MIN_VALUE;

    private static final int SIZE = 64;

    /** Set in the sequence of every heartbeat and of nothing else. */
    private static final int MARK = 1 << 31;

    private final long[] sentNanos = new long[SIZE];
    private final boolean[] waiting = new boolean[SIZE];
    private int next;

    static boolean isHeartbeat(int sequence) {
        return (sequence & MARK) != 0;
    }

    /** @return the sequence that it is to be sent with */
    int add(long nanos) {
        int slot = next % SIZE;
        sentNanos[slot] = nanos;
        waiting[slot] = true;
        int sequence = next | MARK;
        next = (next + 1) & ~MARK;
        return sequence;
    }

    /** When it was sent; it is then forgotten, as is what could not be sent. */
    long take(int sequence) {
        int number = sequence & ~MARK;
        int slot = number % SIZE;
        int age = (next - number) & ~MARK;
        if (!isHeartbeat(sequence) || age < 1 || age > SIZE || !waiting[slot]) {
            return UNKNOWN;
        }
        waiting[slot] = false;
        return sentNanos[slot];
    }
}
