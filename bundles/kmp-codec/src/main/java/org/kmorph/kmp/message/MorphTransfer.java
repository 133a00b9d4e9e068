// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp.message;

import java.util.UUID;
import org.kmorph.kmp.wire.MalformedPayloadException;
import org.kmorph.kmp.wire.PayloadReader;
import org.kmorph.kmp.wire.PayloadWriter;

/**
 * KMP_MORPH_TRANSFER_STATE: three steps with one structure of 56 bytes, of which each uses its part. This is their common
 * reading and writing.
 */
public sealed interface MorphTransfer extends OperationMessage permits TransferPull, TransferData, TransferEnd {
    /** A region's number, or {@link org.kmorph.kmp.wire.Limits#ALL_REGIONS} in a pull. */
    long region();

    /** From 1. */
    long round();

    /** In a pull: where to begin; of data: what chunks before it cover; at the end: what all of them cover. */
    long streamOffset();

    /** Whether it is of the final round, taken while the workload is frozen. */
    boolean finalRound();

    @Override
    default MessageType type() {
        return MessageType.MORPH_TRANSFER_STATE;
    }

    /** Reads whichever step it is. */
    static MorphTransfer read(MessageType type, PayloadReader in) throws MalformedPayloadException {
        Head head = Head.read(in);
        if (head.round == 0) {
            throw in.malformed("rounds are numbered from 1");
        }
        return switch (head.step) {
            case PULL -> TransferPull.read(head, in);
            case DATA -> TransferData.read(head, in);
            case END -> TransferEnd.read(head, in);
        };
    }

    /** The fixed structure, as it stands on the wire. */
    record Head(
            UUID operation,
            long region,
            long round,
            long streamOffset,
            TransferStep step,
            int flags,
            int extentCount,
            long rawLength,
            long dataLength,
            long windowBytes) {

        static Head read(PayloadReader in) throws MalformedPayloadException {
            UUID operation = in.operation();
            long region = in.u32();
            long round = in.u32();
            long streamOffset = in.u64();
            TransferStep step = in.coded8(TransferStep.values());
            in.reserved(1);
            int flags = in.u16();
            int extentCount = in.u16();
            in.reserved(2);
            long rawLength = in.u32();
            long dataLength = in.u32();
            long windowBytes = in.u32();
            in.reserved(4);
            return new Head(
                    operation,
                    region,
                    round,
                    streamOffset,
                    step,
                    flags,
                    extentCount,
                    rawLength,
                    dataLength,
                    windowBytes);
        }

        void write(PayloadWriter out) {
            out.operation(operation).u32(region).u32(round).u64(streamOffset);
            out.coded8(step).reserved(1).u16(flags).u16(extentCount).reserved(2);
            out.u32(rawLength).u32(dataLength).u32(windowBytes).reserved(4);
        }
    }
}
