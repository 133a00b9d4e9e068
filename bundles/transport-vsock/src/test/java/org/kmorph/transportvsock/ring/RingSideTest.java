// SPDX-License-Identifier: Apache-2.0
package org.kmorph.transportvsock.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.kmorph.transportvsock.stream.Header;
import org.kmorph.transportvsock.stream.Op;

/** Both sides of a link over one memory, in one process. */
class RingSideTest {
    private static final int BYTES = 1 << 20;
    private static final int ID = 7;

    private final ByteBuffer memory = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final Random random = new Random(1);
    private final RecordingListener hostHears = new RecordingListener();
    private final RecordingListener guestHears = new RecordingListener();
    private int ringsOfGuest;
    private int ringsOfHost;
    private final RingSide host = new RingSide(memory, 0, ID, vector -> ringsOfGuest++, random::nextInt, hostHears);
    private final RingSide guest = guest(guestHears);
    private long now;

    private RingSide guest(RecordingListener hears) {
        return new RingSide(memory, 1, ID, vector -> ringsOfHost++, random::nextInt, hears);
    }

    private static Header header(int length) {
        return new Header(2, ID + 2, 1024, 9000, length, Header.STREAM, Op.RW.number(), 0, 262144, 17);
    }

    private static ByteBuffer bytes(int length, int seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return ByteBuffer.wrap(bytes);
    }

    private void lookAround() {
        for (int i = 0; i < 3; i++) {
            host.look(now);
            guest.look(now);
        }
    }

    private void connect() {
        host.start(now);
        guest.start(now);
        lookAround();
        assertThat(host.up()).isTrue();
        assertThat(guest.up()).isTrue();
    }

    @Test
    void sessionComesUpWhicheverSideIsFirst() {
        guest.start(now);
        lookAround();
        assertThat(guest.up()).isFalse();
        host.start(now);
        lookAround();
        assertThat(hostHears.told).containsExactly("up");
        assertThat(guestHears.told).containsExactly("up");
    }

    @Test
    void framesOfEverySizeArriveWholeAndInOrder() {
        connect();
        int[] sizes = {0, 1, 255, 256, 257, 4096, 65535, 65536};
        for (int size : sizes) {
            assertThat(host.produce(header(size), bytes(size, size))).isTrue();
        }
        host.publish();
        assertThat(guest.consume(100)).isFalse();
        for (int i = 0; i < sizes.length; i++) {
            assertThat(guestHears.payloads.get(i))
                    .isEqualTo(bytes(sizes[i], sizes[i]).array());
            assertThat(guestHears.headers.get(i)).isEqualTo(header(sizes[i]));
        }
    }

    @Test
    void fullRingRefusesAndTheConsumersDoorbellTellsOfRoom() {
        connect();
        int taken = 0;
        while (host.produce(header(60000), bytes(60000, taken))) {
            taken++;
        }
        assertThat(taken).isEqualTo(BYTES / 4 / 60032);
        ringsOfHost = 0;
        guest.consume(1);
        assertThat(ringsOfHost).isEqualTo(1);
        assertThat(host.produce(header(60000), bytes(60000, 99))).isTrue();
    }

    @Test
    void busyConsumerIsNotRungForAndSleepingOneIs() {
        connect();
        guest.consume(1);
        ringsOfGuest = 0;
        host.produce(header(1), bytes(1, 1));
        host.publish();
        host.produce(header(1), bytes(1, 2));
        host.publish();
        assertThat(ringsOfGuest).isEqualTo(1);
        assertThat(guest.consume(1)).isTrue();
        assertThat(guest.consume(1)).isFalse();
        host.produce(header(1), bytes(1, 3));
        host.publish();
        assertThat(ringsOfGuest).isEqualTo(2);
    }

    @Test
    void countersWrapManyTimesRoundTheRing() {
        connect();
        for (int i = 0; i < 5000; i++) {
            int size = i * 37 % 3000;
            assertThat(guest.produce(header(size), bytes(size, i))).isTrue();
            guest.publish();
            host.consume(10);
            assertThat(hostHears.payloads.remove(0)).isEqualTo(bytes(size, i).array());
        }
    }

    @Test
    void restartOfTheOtherSideEndsTheSessionAndBeginsANewOne() {
        connect();
        host.produce(header(10), bytes(10, 1));
        host.publish();
        RecordingListener hears = new RecordingListener();
        RingSide successor = guest(hears);
        successor.start(now);
        for (int i = 0; i < 3; i++) {
            host.look(now);
            successor.look(now);
        }
        assertThat(hostHears.told).containsExactly("up", "down", "up");
        successor.consume(10);
        assertThat(hears.payloads).isEmpty();
        host.produce(header(10), bytes(10, 2));
        host.publish();
        successor.consume(10);
        assertThat(hears.payloads).hasSize(1);
    }

    @Test
    void goingSideEndsTheSessionAtTheNextLook() {
        connect();
        ringsOfHost = 0;
        guest.stop();
        assertThat(ringsOfHost).isEqualTo(1);
        host.look(now);
        assertThat(hostHears.told).containsExactly("up", "down");
        assertThat(host.produce(header(1), bytes(1, 1))).isFalse();
    }

    @Test
    void generationZeroedByTheKeeperIsADeath() {
        connect();
        memory.putInt(Layout.SIDE_BYTES + Layout.W_GENERATION, 0);
        host.look(now);
        assertThat(hostHears.told).containsExactly("up", "down");
    }

    @Test
    void pingIsAnsweredWithoutASession() {
        guest.start(now);
        host.start(now);
        int number = host.ping();
        guest.look(now);
        host.look(now);
        assertThat(hostHears.lastPong).isEqualTo(number);
    }

    @Test
    void successorIsAnsweredThoughItsPredecessorAskedAsOften() {
        guest.start(now);
        host.start(now);
        host.ping();
        lookAround();
        host.stop();
        RecordingListener hears = new RecordingListener();
        RingSide successor = new RingSide(memory, 0, ID, vector -> ringsOfGuest++, random::nextInt, hears);
        successor.start(now);
        successor.look(now);
        int number = successor.ping();
        guest.look(now);
        successor.look(now);
        assertThat(hears.lastPong).isEqualTo(number);
    }

    @Test
    void otherVersionIsSaidOnceAndNotSpokenTo() {
        guest.start(now);
        memory.putInt(Layout.SIDE_BYTES + Layout.W_VERSION, 2);
        host.start(now);
        host.look(now);
        host.look(now);
        assertThat(hostHears.told).containsExactly("remark");
        assertThat(memory.getInt(Layout.W_PEER_GENERATION)).isZero();
    }

    @Test
    void scribblingIsNoticedAndTheLinkRecoversAfterAPause() {
        connect();
        memory.putInt(Layout.W_HEAD, 12345);
        host.look(now);
        assertThat(hostHears.told).containsExactly("up", "remark", "down");
        lookAround();
        assertThat(host.up()).isFalse();
        now += Layout.VIOLATION_PAUSE_MS;
        lookAround();
        assertThat(host.up()).isTrue();
        assertThat(guest.up()).isTrue();
    }

    @Test
    void memoryOfAnImpossibleSizeIsRefused() {
        assertThatThrownBy(() -> new RingSide(
                        ByteBuffer.allocateDirect(3 << 20), 0, ID, vector -> {}, random::nextInt, hostHears))
                .hasMessageContaining("3145728")
                .hasMessageContaining("power of two");
    }

    /** A hostile other side writes anything anywhere; whatever it does, this side neither fails nor stops recovering. */
    @Test
    void randomBytesFromTheOtherSideBreakNothing() {
        Random hostile = new Random(42);
        for (int round = 0; round < 300; round++) {
            connectOrWait();
            for (int i = 0; i < 20; i++) {
                scribble(hostile);
                host.look(now);
                host.consume(16);
                host.produce(header(0), bytes(0, 1));
                host.publish();
                now += 20;
            }
            memory.position(0);
            for (int word : Layout.words()) {
                memory.putInt(Layout.SIDE_BYTES + word, 0);
            }
            now += 1000;
        }
        connectOrWait();
        hostHears.payloads.clear();
        guest.produce(header(300), bytes(300, 5));
        guest.publish();
        host.consume(10);
        assertThat(hostHears.payloads).hasSize(1);
    }

    private void connectOrWait() {
        host.start(now);
        guest.start(now);
        lookAround();
        assertThat(host.up()).isTrue();
    }

    private void scribble(Random hostile) {
        int[] words = Layout.words();
        int what = hostile.nextInt(3);
        if (what == 0) {
            memory.putInt(Layout.SIDE_BYTES + words[hostile.nextInt(words.length)], hostile.nextInt());
        } else if (what == 1) {
            memory.putInt(Layout.SIDE_BYTES + Layout.W_HEAD, hostile.nextInt(600));
        } else {
            int at = Layout.slotsOffset(BYTES, 1) + hostile.nextInt(Layout.SLOT_BYTES * 4);
            memory.put(at, (byte) hostile.nextInt(6));
        }
    }
}
