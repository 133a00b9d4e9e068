// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.Optional;
import org.kmorph.kmp.wire.Limits;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;

/** Every msg_type, with what its payload is. An answer's is its request's with bit 15 set. */
public enum MessageType {
    HEARTBEAT_REQ(0x0001, HeartbeatRequest.class, HeartbeatRequest::read),
    HEARTBEAT_RSP(0x8001, HeartbeatAnswer.class, HeartbeatAnswer::read),
    HEALTH_STATUS(0x0002, HealthStatus.class, HealthStatus::read),
    RECOVER_PREPARE(0x0101, RecoverPrepare.class, RecoverPrepare::read),
    RECOVER_PREPARE_ANSWER(0x8101, OperationAnswer.class, OperationAnswer::read),
    RECOVER_RECLAIM(0x0102, RecoverReclaim.class, RecoverReclaim::read),
    RECOVER_RECLAIM_ANSWER(0x8102, OperationAnswer.class, OperationAnswer::read),
    RECOVER_COMPLETE(0x0103, RecoverComplete.class, RecoverComplete::read),
    RECOVER_COMPLETE_ANSWER(0x8103, OperationAnswer.class, OperationAnswer::read),
    VMCORE_START(0x0110, VmcoreStart.class, VmcoreStart::read),
    VMCORE_START_ANSWER(0x8110, Acknowledgement.class, Acknowledgement::read),
    VMCORE_DATA(0x0111, VmcoreData.class, VmcoreData::read),
    VMCORE_DATA_ANSWER(0x8111, Acknowledgement.class, Acknowledgement::read),
    VMCORE_COMPLETE(0x0112, VmcoreComplete.class, VmcoreComplete::read),
    VMCORE_COMPLETE_ANSWER(0x8112, OperationAnswer.class, OperationAnswer::read),
    MORPH_PREPARE(0x0201, MorphPrepare.class, MorphPrepare::read),
    MORPH_PREPARE_ANSWER(0x8201, OperationAnswer.class, OperationAnswer::read),
    MORPH_NEGOTIATE(0x0202, MorphNegotiate.class, MorphNegotiate::read),
    MORPH_NEGOTIATE_ANSWER(0x8202, OperationAnswer.class, OperationAnswer::read),
    MORPH_TRANSFER_STATE(0x0203, MorphTransfer.class, MorphTransfer::read),
    MORPH_TRANSFER_STATE_ANSWER(0x8203, Acknowledgement.class, Acknowledgement::read),
    MORPH_VALIDATE(0x0204, MorphValidate.class, MorphValidate::read),
    MORPH_VALIDATE_ANSWER(0x8204, OperationAnswer.class, OperationAnswer::read),
    MORPH_COMMIT(0x0205, MorphCommit.class, MorphCommit::read),
    MORPH_COMMIT_ANSWER(0x8205, CommitAnswer.class, CommitAnswer::read),
    MORPH_ROLLBACK(0x0206, MorphRollback.class, MorphRollback::read),
    MORPH_ROLLBACK_ANSWER(0x8206, OperationAnswer.class, OperationAnswer::read),
    ERROR(0x0F01, ErrorAnswer.class, ErrorAnswer::read),
    RETRY(0x0F02, RetryAnswer.class, RetryAnswer::read);

    /** Set in the msg_type of an answer. */
    public static final int ANSWER = 0x8000;

    private static final MessageType[] ALL = values();

    private final int code;

    private final Class<? extends Message> message;

    private final Reader reader;

    private final boolean small;

    // made once: looking a type up allocates nothing
    private final Optional<MessageType> itself = Optional.of(this);

    MessageType(int code, Class<? extends Message> message, Reader reader) {
        this.code = code;
        this.message = message;
        this.reader = reader;
        this.small = code == 0x0001 || code == 0x8001 || code == 0x0002 || code == 0x0F01 || code == 0x0F02;
    }

    /** The type of a msg_type, if this version of the protocol has it. Allocates nothing. */
    public static Optional<MessageType> of(int code) {
        for (MessageType type : ALL) {
            if (type.code == code) {
                return type.itself;
            }
        }
        return Optional.empty();
    }

    /** Its number on the wire. */
    public int code() {
        return code;
    }

    /** Whether its frame stays under 256 bytes, for the transport's fast path. */
    public boolean small() {
        return small;
    }

    /** How long its payload may be. */
    public int maxPayloadBytes() {
        return small ? Limits.MAX_SMALL_PAYLOAD_BYTES : Limits.MAX_PAYLOAD_BYTES;
    }

    /** Whether it answers a request, and so must never be answered. */
    public boolean isAnswer() {
        return (code & ANSWER) != 0 || this == ERROR || this == RETRY;
    }

    /** Whether it waits for an answer: neither an answer nor unsolicited. */
    public boolean isRequest() {
        return !isAnswer() && this != HEALTH_STATUS;
    }

    /**
     * Reads its payload, all of it.
     *
     * @throws MalformedPayloadException when it is not as {@code docs/kmp.md} says
     */
    public Message read(PayloadReader payload) throws MalformedPayloadException {
        return reader.read(this, payload);
    }

    boolean isWrittenBy(Class<? extends Message> answer) {
        return message == answer;
    }

    private interface Reader {
        Message read(MessageType type, PayloadReader payload) throws MalformedPayloadException;
    }
}
