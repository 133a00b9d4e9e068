// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A set of page frames from 0 to a limit. Threads may change it at once where their frames are at least 64 apart and aligned. */
final class FrameSet {
    private final long limit;
    private final long[] words;

    FrameSet(long limit) {
        this.limit = limit;
        words = new long[Math.toIntExact((limit + 63) / 64)];
    }

    long limit() {
        return limit;
    }

    boolean has(long frame) {
        return frame < limit && (words[(int) (frame >>> 6)] >>> (frame & 63) & 1) != 0;
    }

    void add(long from, long to) {
        for (long frame = from; frame < to; frame = (frame | 63) + 1) {
            words[(int) (frame >>> 6)] |= mask(frame, to);
        }
    }

    void remove(long from, long to) {
        long end = Math.min(to, limit);
        for (long frame = from; frame < end; frame = (frame | 63) + 1) {
            words[(int) (frame >>> 6)] &= ~mask(frame, end);
        }
    }

    /** The bits, from a frame on, of those that are in its word and before another. */
    private static long mask(long from, long to) {
        long left = to - from;
        return (left < 64 ? (1L << left) - 1 : -1L) << (from & 63);
    }

    long count() {
        long count = 0;
        for (long word : words) {
            count += Long.bitCount(word);
        }
        return count;
    }

    FrameSet copy() {
        FrameSet copy = new FrameSet(limit);
        System.arraycopy(words, 0, copy.words, 0, words.length);
        return copy;
    }

    /** The bits from a byte on, the lowest frame in the lowest bit; zero beyond the limit. */
    ByteBuffer bits(long fromByte, int length) {
        ByteBuffer bits = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < length / 8; i++) {
            long word = fromByte / 8 + i;
            bits.putLong(8 * i, word < words.length ? words[(int) word] : 0);
        }
        return bits;
    }
}
