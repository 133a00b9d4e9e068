// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.kmp.item.Digest;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.Extent;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.MorphTransfer;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.kmp.message.TransferEnd;

/** State that goes through the daemon's hands, as its target takes it: docs/kmp.md, Chunks and KMP_MORPH_TRANSFER_STATE. */
final class TargetIntake {
    private static final int WINDOW = 1 << 20;

    private final Map<Integer, Taken> regions = Map.of(
            SourceFlow.MEMORY, new Taken(SourceFlow.PAGES * SourceFlow.PAGE),
            SourceFlow.STATE, new Taken(SourceFlow.STATE_BYTES));

    /** A region. */
    private static final class Taken {
        private final byte[] bytes;
        private SourceFlow.Digests digest = new SourceFlow.Digests(null);
        private byte[] value;
        private long round;
        private long covered;
        private boolean ended;
        private boolean last;

        Taken(int size) {
            bytes = new byte[size];
        }
    }

    void forget() {
        regions.values().forEach(region -> {
            Arrays.fill(region.bytes, (byte) 0);
            region.value = null;
            region.round = 0;
            region.covered = 0;
            region.ended = false;
            region.last = false;
        });
    }

    /** @param state which the answer has */
    void take(MorphTransfer message, OperationState state, MorphAgent.Reply reply) {
        Taken region = regions.get((int) message.region());
        if (region == null) {
            reply.refuse(ErrorCode.MALFORMED, 20, "there is no such region");
            return;
        }
        boolean next = region.round == 0 || region.ended && message.round() == region.round + 1 && !region.last;
        if (next) {
            region.digest = new SourceFlow.Digests(region.value);
            region.round = message.round();
            region.covered = 0;
            region.ended = false;
        }
        if (message.round() != region.round) {
            reply.refuse(ErrorCode.WRONG_STATE, region.round, "");
        } else if (region.ended) {
            reply.say(acknowledged(message, state, region));
        } else if (message instanceof TransferData data) {
            chunk(data, state, region, reply);
        } else if (message instanceof TransferEnd end) {
            end(end, state, region, reply);
        }
    }

    private static Acknowledgement acknowledged(MorphTransfer message, OperationState state, Taken region) {
        return new Acknowledgement(
                MessageType.MORPH_TRANSFER_STATE_ANSWER,
                message.operation(),
                state,
                Verdict.NONE,
                region.covered,
                0,
                message instanceof TransferData ? WINDOW : 0,
                List.of());
    }

    private static void chunk(TransferData data, OperationState state, Taken region, MorphAgent.Reply reply) {
        if (data.streamOffset() > region.covered) {
            reply.refuse(ErrorCode.WRONG_STATE, region.covered, "");
            return;
        }
        if (data.streamOffset() == region.covered) {
            ByteBuffer from = data.chunk().data().duplicate();
            for (Extent extent : data.chunk().extents()) {
                byte[] bytes = new byte[(int) extent.length()];
                if (extent.content() == Extent.Content.BYTES) {
                    from.get(bytes);
                }
                System.arraycopy(bytes, 0, region.bytes, (int) extent.offset(), bytes.length);
            }
            region.digest.add(data.chunk());
            region.covered += data.chunk().covers();
        }
        reply.say(acknowledged(data, state, region));
    }

    private static void end(TransferEnd end, OperationState state, Taken region, MorphAgent.Reply reply) {
        if (end.streamOffset() != region.covered) {
            reply.refuse(ErrorCode.WRONG_STATE, region.covered, "");
            return;
        }
        byte[] value = region.digest.value();
        boolean same = Items.first(end.items(), Digest.class)
                .filter(digest -> digest.value().equals(ByteBuffer.wrap(value)))
                .isPresent();
        if (!same) {
            // the stream of this round cannot be digested again
            region.digest = new SourceFlow.Digests(region.value);
            reply.refuse(ErrorCode.DIGEST_MISMATCH, end.region(), "");
            return;
        }
        region.value = value;
        region.ended = true;
        region.last = end.finalRound();
        reply.say(acknowledged(end, state, region));
    }

    /** The stamp of the final state, when all of it is there. */
    Optional<Long> stamp() {
        if (!regions.values().stream().allMatch(region -> region.ended && region.last)) {
            return Optional.empty();
        }
        ByteBuffer said = ByteBuffer.wrap(regions.get(SourceFlow.STATE).bytes);
        long stamp = said.getLong();
        if (stamp < 0) {
            throw new Violation("run from a stale copy: a state is validated that is of round " + -stamp
                    + ", and its workload has gone on since");
        }
        byte[] memory = SourceFlow.Digests.of(regions.get(SourceFlow.MEMORY).bytes);
        if (!said.equals(ByteBuffer.wrap(memory))) {
            throw new Violation(
                    "a state that never was is validated: its memory is not what its source had at " + stamp);
        }
        return Optional.of(stamp);
    }
}
