// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.kmorph.transportvsock.stream.Header;

/** The direction that a side writes: PRODUCE of {@code kerf_ring.h}. */
final class Producer {
    private final RingSide side;
    private final ByteBuffer memory;
    private final Words own;
    private final Words other;
    private final int slots;
    private final int slotsOffset;
    private final int bulkBytes;
    private final int bulkOffset;
    private int head;
    private int published;
    private int bulkHead;

    Producer(RingSide side, ByteBuffer memory, int direction, Words own, Words other) {
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
        head = 0;
        published = 0;
        bulkHead = 0;
        own.set(Layout.W_HEAD, 0);
        own.set(Layout.W_TX_EVENT, -1);
    }

    boolean produce(Header header, ByteBuffer payload) {
        int length = payload.remaining();
        boolean bulk = length >= Layout.INLINE_BYTES;
        int bulkLength = bulk ? Layout.bulkAlign(length) : 0;
        if (!hasRoom(bulkLength)) {
            // what was put so far must be known to the other, or it has no reason ever to make room
            publish();
            own.set(Layout.W_TX_EVENT, other.get(Layout.W_TAIL));
            VarHandle.fullFence();
            if (!side.up() || !hasRoom(bulkLength)) {
                return false;
            }
        }
        int slot = slotsOffset + (head & slots - 1) * Layout.SLOT_BYTES;
        memory.putInt(slot + Layout.S_SEQ, head);
        memory.putInt(slot + Layout.S_KIND, bulk ? Layout.BULK : Layout.INLINE);
        memory.putInt(slot + Layout.S_BULK_POS, bulk ? bulkHead : 0);
        header.write(memory.position(slot + Layout.S_HEADER));
        if (bulk) {
            int at = bulkHead & bulkBytes - 1;
            int first = Math.min(length, bulkBytes - at);
            memory.put(bulkOffset + at, payload, payload.position(), first);
            memory.put(bulkOffset, payload, payload.position() + first, length - first);
            bulkHead += bulkLength;
        } else {
            memory.put(slot + Layout.S_PAYLOAD, payload, payload.position(), length);
        }
        payload.position(payload.limit());
        head++;
        return true;
    }

    private boolean hasRoom(int bulkLength) {
        int tail = other.get(Layout.W_TAIL);
        int bulkTail = other.get(Layout.W_BULK_TAIL);
        if (Integer.compareUnsigned(head - tail, slots) > 0
                || Integer.compareUnsigned(bulkHead - bulkTail, bulkBytes) > 0) {
            side.indexViolation("it has consumed what was not produced");
            return false;
        }
        return head - tail < slots && bulkHead - bulkTail + bulkLength <= bulkBytes;
    }

    void publish() {
        if (head == published) {
            return;
        }
        int old = published;
        published = head;
        own.set(Layout.W_HEAD, head);
        VarHandle.fullFence();
        if (Layout.passed(other.get(Layout.W_RX_EVENT), old, head)) {
            side.ring(Layout.VECTOR_DATA);
        }
    }
}
