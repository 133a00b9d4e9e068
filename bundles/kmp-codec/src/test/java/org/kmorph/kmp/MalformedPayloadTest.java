// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.KernelRelease;
import org.kmorph.kmp.item.Text;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.HeartbeatRequest;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.LittleEndian;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;

class MalformedPayloadTest {
    /** Sizes of the fixed structures, as docs/kmp.md has them in its headings. */
    private static final Map<String, Integer> FIXED = Map.ofEntries(
            Map.entry("KMP_HEARTBEAT_REQ", 8),
            Map.entry("KMP_HEARTBEAT_RSP", 64),
            Map.entry("KMP_HEALTH_STATUS", 40),
            Map.entry("KMP_RECOVER_PREPARE", 40),
            Map.entry("KMP_RECOVER_RECLAIM", 32),
            Map.entry("KMP_RECOVER_COMPLETE", 40),
            Map.entry("KMP_VMCORE_START", 48),
            Map.entry("KMP_VMCORE_DATA", 40 + 3 * 16 + 8),
            Map.entry("KMP_VMCORE_COMPLETE", 40),
            Map.entry("KMP_MORPH_PREPARE", 32),
            Map.entry("KMP_MORPH_NEGOTIATE", 24),
            Map.entry("KMP_MORPH_TRANSFER_STATE pull", 56),
            Map.entry("KMP_MORPH_TRANSFER_STATE data", 56 + 2 * 16 + 5),
            Map.entry("KMP_MORPH_TRANSFER_STATE end", 56),
            Map.entry("KMP_MORPH_VALIDATE", 24),
            Map.entry("KMP_MORPH_COMMIT", 24),
            Map.entry("KMP_MORPH_ROLLBACK", 24),
            Map.entry("operation answer, what there is to move", 24),
            Map.entry("operation answer, rehearsed", 24),
            Map.entry("operation answer, refused", 24),
            Map.entry("acknowledgement", 48),
            Map.entry("acknowledgement of a round", 48),
            Map.entry("commit answer", 40),
            Map.entry("KMP_ERROR", 16),
            Map.entry("KMP_RETRY", 8));

    @Test
    void everyStructureThatEndsEarlyIsMalformedAndOneWithoutItemsIsNot() throws Exception {
        for (Map.Entry<String, Message> golden : GoldenFrames.messages().entrySet()) {
            byte[] payload = payload(golden.getValue());
            int fixed = FIXED.get(golden.getKey());
            for (int length = 0; length < fixed; length++) {
                byte[] early = Arrays.copyOf(payload, length);
                assertThatThrownBy(() -> read(golden.getValue().type(), early))
                        .as("%s of %d bytes", golden.getKey(), length)
                        .isInstanceOf(MalformedPayloadException.class);
            }
            Message bare = read(golden.getValue().type(), Arrays.copyOf(payload, fixed));
            assertThat(bare.items()).as(golden.getKey()).isEmpty();
        }
    }

    @Test
    void unknownItemsAreSkippedAndLongerOnesReadAsFarAsTheyAreKnown() throws Exception {
        ByteBuffer payload = ByteBuffer.allocate(8 + 4 + 3 + 4 + 10);
        item(payload, 8, 0x7777, 3);
        item(payload, 15, 0x0002, 10);
        LittleEndian.put64(payload, 19, 5);
        Message read = read(MessageType.HEARTBEAT_REQ, payload.array());
        assertThat(read.items()).containsExactly(new org.kmorph.kmp.item.Capabilities(5));
    }

    @Test
    void itemThatClaimsMoreThanIsLeftIsMalformed() {
        ByteBuffer payload = ByteBuffer.allocate(8 + 4 + 3);
        item(payload, 8, 0x7777, 4);
        assertMalformed(MessageType.HEARTBEAT_REQ, payload.array(), 12);
    }

    @Test
    void itemsAreCounted() throws Exception {
        byte[] payload = new byte[24 + 4 * Limits.MAX_ITEMS];
        LittleEndian.put8(ByteBuffer.wrap(payload), 16, 1);
        assertThat(read(MessageType.MORPH_VALIDATE, payload).items()).isEmpty();
        assertMalformed(MessageType.MORPH_VALIDATE, Arrays.copyOf(payload, payload.length + 4), payload.length);
    }

    @Test
    void textOverItsLimitOrWithANullIsMalformed() throws Exception {
        byte[] payload = new byte[8 + 4 + 65];
        Arrays.fill(payload, 12, payload.length, (byte) 'x');
        item(ByteBuffer.wrap(payload), 8, 0x0001, 65);
        assertMalformed(MessageType.HEARTBEAT_REQ, payload, 12);
        item(ByteBuffer.wrap(payload), 8, 0x0001, 64);
        byte[] shorter = Arrays.copyOf(payload, payload.length - 1);
        assertThat(Items.first(read(MessageType.HEARTBEAT_REQ, shorter).items(), KernelRelease.class))
                .hasValue(new KernelRelease("x".repeat(64)));
        shorter[20] = 0;
        assertMalformed(MessageType.HEARTBEAT_REQ, shorter, 20);
    }

    @Test
    void textThatIsNoUtf8IsShownAsFarAsItIs() throws Exception {
        byte[] payload = new byte[8 + 4 + 3];
        item(ByteBuffer.wrap(payload), 8, 0x0006, 3);
        payload[12] = 'a';
        payload[13] = (byte) 0xff;
        payload[14] = 'b';
        assertThat(read(MessageType.HEARTBEAT_REQ, payload).items()).containsExactly(new Text("a?b"));
    }

    @Test
    void valuesThatNoEnumerationHasAreMalformedWhereTheyStand() {
        altered("KMP_HEARTBEAT_RSP", 4, 6);
        altered("KMP_HEARTBEAT_RSP", 5, 8);
        altered("KMP_HEALTH_STATUS", 6, 3);
        altered("KMP_RECOVER_PREPARE", 20, 9);
        altered("KMP_RECOVER_COMPLETE", 24, 5);
        altered("KMP_VMCORE_START", 28, 2);
        altered("KMP_MORPH_NEGOTIATE", 16, 4);
        altered("KMP_MORPH_TRANSFER_STATE pull", 32, 4);
        altered("KMP_MORPH_VALIDATE", 16, 0);
        altered("KMP_MORPH_COMMIT", 16, 8);
        altered("KMP_MORPH_ROLLBACK", 16, 0);
        altered("operation answer, refused", 16, 13);
        altered("operation answer, refused", 17, 3);
    }

    @Test
    void chunksThatContradictThemselvesAreMalformed() {
        // extent_count, raw_len, data_len; an extent's length and flags
        altered("KMP_VMCORE_DATA", 22, 0);
        altered("KMP_VMCORE_DATA", 22, 2);
        altered("KMP_VMCORE_DATA", 32, 7);
        altered("KMP_VMCORE_DATA", 36, 9);
        altered("KMP_VMCORE_DATA", 40 + 8, 0);
        altered("KMP_VMCORE_DATA", 40 + 7, 0x80);
        altered("KMP_VMCORE_DATA", 40 + 16 + 12, 3);
        altered("KMP_MORPH_TRANSFER_STATE data", 56 + 16 + 12, 2);
        altered("KMP_MORPH_TRANSFER_STATE data", 20, 0);
        altered("KMP_MORPH_TRANSFER_STATE pull", 50, 0);
        altered("KMP_MORPH_TRANSFER_STATE pull", 51, 5);
    }

    @Test
    void chunkOfMoreThanItMayExpandToIsMalformed() throws Exception {
        byte[] payload = payload(GoldenFrames.messages().get("KMP_VMCORE_DATA"));
        ByteBuffer fields = ByteBuffer.wrap(payload);
        LittleEndian.put16(fields, 20, 2);
        LittleEndian.put32(fields, 32, Limits.MAX_CHUNK_BYTES);
        LittleEndian.put32(fields, 40 + 8, Limits.MAX_CHUNK_BYTES);
        assertThat(read(MessageType.VMCORE_DATA, payload)).isNotNull();
        LittleEndian.put32(fields, 32, Limits.MAX_CHUNK_BYTES + 1);
        LittleEndian.put32(fields, 40 + 8, Limits.MAX_CHUNK_BYTES + 1);
        assertThatThrownBy(() -> read(MessageType.VMCORE_DATA, payload)).isInstanceOf(MalformedPayloadException.class);
    }

    @Test
    void reservedFieldsAndUndefinedFlagsAreIgnored() throws Exception {
        byte[] payload = payload(GoldenFrames.messages().get("KMP_VMCORE_DATA"));
        payload[21] = (byte) 0xff;
        payload[40 + 15] = (byte) 0xff;
        assertThat(read(MessageType.VMCORE_DATA, payload))
                .isEqualTo(GoldenFrames.messages().get("KMP_VMCORE_DATA"));
        byte[] request = new byte[8];
        request[7] = 1;
        assertThat(read(MessageType.HEARTBEAT_REQ, request)).isEqualTo(new HeartbeatRequest(0, List.of()));
    }

    @Test
    void quiesceWithoutALeaseIsMalformedAndAQueryIsNot() throws Exception {
        byte[] payload = payload(GoldenFrames.messages().get("KMP_MORPH_COMMIT"));
        ByteBuffer.wrap(payload).putInt(20, 0);
        assertMalformed(MessageType.MORPH_COMMIT, payload, 24);
        payload[16] = 0;
        assertThat(read(MessageType.MORPH_COMMIT, payload)).isNotNull();
    }

    @Test
    void malformedIsAnsweredWithTheOffset() throws Exception {
        FrameView view = new FrameView().wrap(FrameDecoderTest.rawFrame(0x0001, new byte[5]), 0);
        assertThatThrownBy(view::message).isInstanceOfSatisfying(MalformedPayloadException.class, e -> {
            ErrorAnswer answer = Replies.malformed(view, e);
            assertThat(answer.code()).isEqualTo(ErrorCode.MALFORMED);
            assertThat(answer.requestType()).isEqualTo(1);
            assertThat(answer.value()).isEqualTo(4);
        });
    }

    @Test
    void repliesFitTheFastPathWhateverTheirText() {
        FrameView view = new FrameView().wrap(FrameDecoderTest.rawFrame(0x0001, new byte[5]), 0);
        ErrorAnswer answer = Replies.error(ErrorCode.IO, view, 5, "\0" + "é€😀".repeat(100));
        assertThat(new FrameEncoder().encode(answer, 1, 2).remaining()).isLessThan(256);
        Text text = Items.first(answer.items(), Text.class).orElseThrow();
        assertThat(text.text()).startsWith(" é€😀é").hasSizeGreaterThan(40);
    }

    @Test
    void whatCannotBeWrittenIsRefused() {
        assertThatThrownBy(() -> new Extent(0, 0, Extent.Content.ZERO)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Chunk(false, false, List.of(), ByteBuffer.allocate(0)))
                .isInstanceOf(IllegalArgumentException.class);
        HeartbeatRequest large = new HeartbeatRequest(0, Collections.nCopies(2, new Text("x".repeat(200))));
        assertThatThrownBy(() -> new FrameEncoder().encode(large, 1, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("223");
    }

    private static void altered(String golden, int at, int value) {
        Message message = GoldenFrames.messages().get(golden);
        byte[] payload = payload(message);
        payload[at] = (byte) value;
        assertThatThrownBy(() -> read(message.type(), payload))
                .as("%s with %d at %d", golden, value, at)
                .isInstanceOf(MalformedPayloadException.class);
    }

    private static void assertMalformed(MessageType type, byte[] payload, int offset) {
        assertThatThrownBy(() -> read(type, payload))
                .isInstanceOfSatisfying(MalformedPayloadException.class, e -> assertThat(e.offset())
                        .isEqualTo(offset));
    }

    private static Message read(MessageType type, byte[] payload) throws MalformedPayloadException {
        return type.read(new PayloadReader(ByteBuffer.wrap(payload), 0, payload.length));
    }

    private static byte[] payload(Message message) {
        ByteBuffer frame = new FrameEncoder().encode(message, 1, 2);
        byte[] payload = new byte[frame.remaining() - FrameView.HEADER_LENGTH];
        frame.get(FrameView.HEADER_LENGTH, payload);
        return payload;
    }

    private static void item(ByteBuffer payload, int at, int type, int length) {
        LittleEndian.put16(payload, at, type);
        LittleEndian.put16(payload, at + 2, length);
    }
}
