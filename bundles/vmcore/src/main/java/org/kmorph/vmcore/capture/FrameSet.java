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
        for (long frame = from; frame < to; ) {
            if ((frame & 63) == 0 && to - frame >= 64) {
                words[(int) (frame >>> 6)] = -1;
                frame += 64;
            } else {
                words[(int) (frame >>> 6)] |= 1L << (frame & 63);
                frame++;
            }
        }
    }

    void remove(long from, long to) {
        for (long frame = from; frame < Math.min(to, limit); frame++) {
            words[(int) (frame >>> 6)] &= ~(1L << (frame & 63));
        }
    }

    /** How many there are from one frame to another, both multiples of 64 (or the limit). */
    int count(long from, long to) {
        int count = 0;
        for (int word = (int) (from >>> 6); word < (int) ((Math.min(to, limit) + 63) >>> 6); word++) {
            count += Long.bitCount(words[word]);
        }
        return count;
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
