// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.kmorph.transportvsock.stream.Header;

/** The direction that a side reads: CONSUME of {@code kerf_ring.h}. */
final class Consumer {
    private final RingSide side;
    private final ByteBuffer memory;
    private final Words own;
    private final Words other;
    private final int slots;
    private final int slotsOffset;
    private final int bulkBytes;
    private final int bulkOffset;
    /** Copies: what is checked must be what is used. */
    private final ByteBuffer slot = ByteBuffer.allocate(Layout.S_PAYLOAD).order(ByteOrder.LITTLE_ENDIAN);

    private final ByteBuffer payload = ByteBuffer.allocate(Layout.MAX_PAYLOAD_BYTES);
    private int tail;
    private int bulkTail;

    Consumer(RingSide side, ByteBuffer memory, int direction, Words own, Words other) {
        this.side = side;
        this.memory = memory.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        this.own = own;
        this.other = other;
        int bytes = memory.capacity();
        slots = Layout.slots(bytes);
        slotsOffset = Layout.slotsOffset(bytes, direction);
        bulkBytes = Layout.bulkBytes(bytes);
        bulkOffset = Layout.bulkOffset(bytes, direction);
    }

    void reset() {
        tail = 0;
        bulkTail = 0;
        own.set(Layout.W_TAIL, 0);
        own.set(Layout.W_BULK_TAIL, 0);
        own.set(Layout.W_RX_EVENT, 0);
    }

    boolean consume(int most, RingListener listener) {
        int old = tail;
        int head = other.get(Layout.W_HEAD);
        if (Integer.compareUnsigned(head - tail, slots) > 0) {
            side.indexViolation("it has produced more than the ring holds");
            return false;
        }
        for (int i = 0; i < most && tail != head; i++) {
            if (!take(listener)) {
                return false;
            }
        }
        if (tail != old) {
            release(old);
        }
        return tail != head || !sleep();
    }

    /** One frame. @return false when the session is over */
    private boolean take(RingListener listener) {
        int at = slotsOffset + (tail & slots - 1) * Layout.SLOT_BYTES;
        slot.clear().put(0, memory, at, Layout.S_PAYLOAD);
        Header header = Header.read(slot.position(Layout.S_HEADER));
        boolean bulk = slot.getInt(Layout.S_KIND) == Layout.BULK;
        int length = header.length();
        if (slot.getInt(Layout.S_SEQ) != tail
                || length < 0
                || length > Layout.MAX_PAYLOAD_BYTES
                || slot.getInt(Layout.S_KIND) != (length < Layout.INLINE_BYTES ? Layout.INLINE : Layout.BULK)
                || bulk && slot.getInt(Layout.S_BULK_POS) != bulkTail) {
            side.indexViolation("a slot that does not fit: sequence " + slot.getInt(Layout.S_SEQ) + ", kind "
                    + slot.getInt(Layout.S_KIND) + ", " + length + " bytes");
            return false;
        }
        payload.clear();
        if (bulk) {
            int from = bulkTail & bulkBytes - 1;
            int first = Math.min(length, bulkBytes - from);
            payload.put(0, memory, bulkOffset + from, first);
            payload.put(first, memory, bulkOffset, length - first);
            bulkTail += Layout.bulkAlign(length);
        } else {
            payload.put(0, memory, at + Layout.S_PAYLOAD, length);
        }
        tail++;
        listener.frame(header, payload.limit(length));
        return side.up();
    }

    private void release(int old) {
        own.set(Layout.W_BULK_TAIL, bulkTail);
        own.set(Layout.W_TAIL, tail);
        VarHandle.fullFence();
        if (Layout.passed(other.get(Layout.W_TX_EVENT), old, tail)) {
            side.ring(Layout.VECTOR_CONTROL);
        }
    }

    /** Asks to be rung for the next frame. @return false when there is one already */
    private boolean sleep() {
        own.set(Layout.W_RX_EVENT, tail);
        VarHandle.fullFence();
        return other.get(Layout.W_HEAD) == tail;
    }
}
