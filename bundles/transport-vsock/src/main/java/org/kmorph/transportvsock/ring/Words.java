// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** One side's words in the shared memory, each read or written once and whole. */
final class Words {
    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final int[] words = Layout.words();
    private final ByteBuffer memory;
    private final int offset;
    /** What was stored, of an own block: the memory itself is writable by others, and not to be believed. */
    private final int[] stored = new int[Layout.SIDE_BYTES / Integer.BYTES];

    Words(ByteBuffer memory, int side) {
        this.memory = memory;
        offset = side * Layout.SIDE_BYTES;
    }

    int get(int word) {
        return (int) INT.getAcquire(memory, offset + word);
    }

    void set(int word, int value) {
        stored[word / Integer.BYTES] = value;
        INT.setRelease(memory, offset + word, value);
    }

    /** Whether the block still is as it was stored. */
    boolean untouched() {
        for (int word : words) {
            if (get(word) != stored[word / Integer.BYTES]) {
                return false;
            }
        }
        return true;
    }
}
