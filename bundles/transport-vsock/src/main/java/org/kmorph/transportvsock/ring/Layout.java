// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

/** The layout of a link's memory: {@code kernel/include/kerf_ring.h}, whose names these are. Bytes, unless said otherwise. */
final class Layout {
    static final int MAGIC = 0x4652454b;
    static final int VERSION = 1;
    static final int SHM_MIN_BYTES = 1 << 20;
    static final int SHM_MAX_BYTES = 256 << 20;
    static final int SIDE_BYTES = 4096;
    static final int SLOT_BYTES = 320;
    static final int INLINE_BYTES = 256;
    static final int MAX_PAYLOAD_BYTES = 65536;
    static final long LOOK_MS = 1000;
    static final long VIOLATION_PAUSE_MS = 100;
    static final int VECTOR_DATA = 0;
    static final int VECTOR_CONTROL = 1;
    static final int VECTORS = 2;
    static final int INLINE = 1;
    static final int BULK = 2;

    /** Words of a side's block, {@code struct kerf_side}. */
    static final int W_MAGIC = 0;

    static final int W_VERSION = 4;
    static final int W_SHM_BYTES = 8;
    static final int W_ID = 12;
    static final int W_FEATURES = 16;
    static final int W_VECTORS = 20;
    static final int W_GENERATION = 64;
    static final int W_PEER_GENERATION = 68;
    static final int W_HEAD = 128;
    static final int W_TX_EVENT = 132;
    static final int W_TAIL = 192;
    static final int W_BULK_TAIL = 196;
    static final int W_RX_EVENT = 200;
    static final int W_PING = 256;
    static final int W_PONG = 260;

    private static final int[] ALL_WORDS = {
        W_MAGIC,
        W_VERSION,
        W_SHM_BYTES,
        W_ID,
        W_FEATURES,
        W_VECTORS,
        W_GENERATION,
        W_PEER_GENERATION,
        W_HEAD,
        W_TX_EVENT,
        W_TAIL,
        W_BULK_TAIL,
        W_RX_EVENT,
        W_PING,
        W_PONG
    };

    /** Fields of a slot, {@code struct kerf_slot}. */
    static final int S_SEQ = 0;

    static final int S_KIND = 4;
    static final int S_BULK_POS = 8;
    static final int S_HEADER = 16;
    static final int S_PAYLOAD = 60;

    private Layout() {}

    /** The words of a side's block that have a meaning. */
    static int[] words() {
        return ALL_WORDS.clone();
    }

    static int slots(int shmBytes) {
        return shmBytes / 2048;
    }

    static int bulkBytes(int shmBytes) {
        return shmBytes / 4;
    }

    static int slotsOffset(int shmBytes, int direction) {
        return 2 * SIDE_BYTES + direction * slots(shmBytes) * SLOT_BYTES;
    }

    static int bulkOffset(int shmBytes, int direction) {
        return shmBytes / 2 + direction * bulkBytes(shmBytes);
    }

    static int bulkAlign(int length) {
        return (length + 63) & ~63;
    }

    /** Whether a counter that went from one index to another left the event behind. */
    static boolean passed(int event, int oldIndex, int newIndex) {
        return Integer.compareUnsigned(newIndex - event - 1, newIndex - oldIndex) < 0;
    }
}
