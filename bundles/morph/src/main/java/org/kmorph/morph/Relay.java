// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.kmorph.kmp.item.OperationState;
import org.kmorph.kmp.item.Verdict;
import org.kmorph.kmp.message.Acknowledgement;
import org.kmorph.kmp.message.Chunk;
import org.kmorph.kmp.message.ErrorCode;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.MorphTransfer;
import org.kmorph.kmp.message.TransferData;
import org.kmorph.kmp.message.TransferEnd;
import org.kmorph.kmpclient.KmpException;
import org.kmorph.kmpclient.KmpSession;
import org.kmorph.kmpclient.Reply;
import org.kmorph.kmpclient.SessionListener;

/**
 * Hands what the source sends on to the target, and keeps a copy. What is under way is bounded by the window that the source is given: a
 * chunk is acknowledged to it when the target has it.
 */
final class Relay implements SessionListener {
    /** What the source may have unacknowledged, in bytes. */
    static final int WINDOW = 1 << 20;

    private static final Duration ACKNOWLEDGED = Duration.ofSeconds(10);

    private final UUID operation;
    private final Set<Long> ended = new HashSet<>();
    private Optional<KmpSession> target = Optional.empty();
    private Optional<Kept> kept = Optional.empty();
    private CompletableFuture<Round> over = new CompletableFuture<>();
    private long round;
    private Round soFar = Round.NOTHING;
    private long heard;

    Relay(UUID operation) {
        this.operation = operation;
    }

    /** Where what comes is to go. */
    synchronized void to(KmpSession session, Kept copy) {
        target = Optional.of(session);
        kept = Optional.of(copy);
    }

    /** Expects a round; the future completes with its bytes when the target has all of it. */
    synchronized CompletableFuture<Round> expect(long number) {
        round = number;
        soFar = Round.NOTHING;
        ended.clear();
        over = new CompletableFuture<>();
        return over;
    }

    synchronized Round soFar() {
        return soFar;
    }

    /** What was on its way is lost with the connection, and the round with that. */
    @Override
    public void lost(String why) {
        CompletableFuture<Round> broken;
        synchronized (this) {
            broken = over;
        }
        broken.completeExceptionally(new IOException("the connection to the old kernel's agent was lost: " + why));
    }

    /** How much has come of the rounds so far, in requests of the source: a number that grows while one goes on. */
    synchronized long heard() {
        return heard;
    }

    @Override
    public void request(Message request, Reply reply) {
        if (!(request instanceof MorphTransfer transfer)
                || !transfer.operation().equals(operation)) {
            reply.error(ErrorCode.UNKNOWN_OPERATION, 0, "no such morph is under way");
            return;
        }
        Optional<KmpSession> to;
        MorphTransfer onward;
        synchronized (this) {
            to = target;
            if (to.isEmpty() || kept.isEmpty() || transfer.round() != round) {
                reply.error(ErrorCode.WRONG_STATE, round, "this round was not pulled");
                return;
            }
            heard++;
            try {
                onward = transfer instanceof TransferData data ? taken(data) : transfer;
            } catch (IOException e) {
                reply.error(ErrorCode.IO, 0, "the state cannot be kept");
                over.completeExceptionally(e);
                return;
            }
        }
        to.get()
                .requestOnce(onward, Acknowledgement.class, ACKNOWLEDGED)
                .whenComplete((answer, failure) -> answered(onward, answer, failure, reply));
    }

    /** The data of a request is a view that is gone when the call returns. */
    private TransferData taken(TransferData data) throws IOException {
        ByteBuffer copy = ByteBuffer.allocate(data.chunk().data().remaining())
                .put(data.chunk().data().duplicate())
                .flip();
        Chunk chunk = new Chunk(
                data.chunk().last(), data.chunk().compressed(), data.chunk().extents(), copy);
        TransferData own = new TransferData(
                data.operation(),
                data.region(),
                data.round(),
                data.streamOffset(),
                data.finalRound(),
                chunk,
                data.items());
        kept.orElseThrow().write(own);
        soFar = new Round(soFar.sent() + copy.remaining(), soFar.unpacked() + chunk.rawLength());
        return own;
    }

    private void answered(MorphTransfer sent, Acknowledgement answer, Throwable failure, Reply reply) {
        if (failure != null) {
            Throwable cause = failure.getCause() == null ? failure : failure.getCause();
            int code = cause instanceof KmpException refused && refused.errorCode() != 0
                    ? refused.errorCode()
                    : ErrorCode.IO;
            reply.error(code, 0, "the new kernel did not take it");
            synchronized (this) {
                over.completeExceptionally(cause);
            }
            return;
        }
        reply.answer(new Acknowledgement(
                MessageType.MORPH_TRANSFER_STATE_ANSWER,
                operation,
                OperationState.TRANSFERRING,
                Verdict.NONE,
                answer.streamOffset(),
                0,
                sent instanceof TransferData ? WINDOW : 0,
                java.util.List.of()));
        CompletableFuture<Round> finished = null;
        Round total = Round.NOTHING;
        synchronized (this) {
            if (sent instanceof TransferEnd && sent.round() == round) {
                ended.add(sent.region());
                if (ended.size() == kept.orElseThrow().regions().size()) {
                    finished = over;
                    total = soFar;
                }
            }
        }
        if (finished != null) {
            finished.complete(total);
        }
    }
}
