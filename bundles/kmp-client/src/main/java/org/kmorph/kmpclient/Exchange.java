// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.HeartbeatAnswer;
import org.kmorph.kmp.message.Message;
import org.kmorph.kmp.message.MessageType;
import org.kmorph.kmp.message.OperationMessage;
import org.kmorph.kmp.message.RetryAnswer;
import org.kmorph.kmpclient.KmpException.Reason;

/** One request and what became of it. Guarded by its session; the future is completed outside of its lock. */
final class Exchange<A extends Message> {
    private static final Timer.Handle NOTHING = () -> {};

    final Message request;
    final boolean repeats;
    final CompletableFuture<A> future = new CompletableFuture<>();
    private final Class<A> answerClass;
    private final MessageType answerType;

    /** The sequence of what was sent last and is not answered. */
    Optional<Integer> sequence = Optional.empty();

    int repetitions;
    boolean done;
    private Timer.Handle deadline = NOTHING;
    private Timer.Handle attempt = NOTHING;

    /** @throws IllegalArgumentException when the message is no request */
    Exchange(Message request, Class<A> answerClass, boolean repeats) {
        if (!request.type().isRequest()) {
            throw new IllegalArgumentException(request.type() + " is no request");
        }
        this.request = request;
        this.answerClass = answerClass;
        this.repeats = repeats;
        this.answerType =
                MessageType.of(request.type().code() | MessageType.ANSWER).orElseThrow();
    }

    void deadline(Timer.Handle handle) {
        deadline = handle;
    }

    /** When the present attempt is given up, or the next begins. */
    void attempt(Timer.Handle handle) {
        attempt.cancel();
        attempt = handle;
    }

    void finish() {
        done = true;
        deadline.cancel();
        attempt.cancel();
    }

    /** Whether a frame of this type can be its answer. */
    boolean isAnsweredBy(MessageType type) {
        return type == answerType || type == MessageType.ERROR || type == MessageType.RETRY;
    }

    /**
     * What is wrong with an answer that is neither KMP_ERROR nor KMP_RETRY.
     *
     * @return empty when it can be passed on
     */
    Optional<String> wrong(Message answer, long instanceId) {
        if (!answerClass.isInstance(answer)) {
            return Optional.of("is answered by " + answer.getClass().getSimpleName() + ", "
                    + answerClass.getSimpleName() + " was expected by the caller");
        }
        if (request instanceof OperationMessage asked
                && answer instanceof OperationMessage told
                && !asked.operation().equals(told.operation())) {
            return Optional.of(
                    "is of operation " + asked.operation() + ", and its answer speaks of " + told.operation());
        }
        if (answer instanceof HeartbeatAnswer heartbeat && heartbeat.instanceId() != instanceId) {
            return Optional.of(
                    "went to instance " + instanceId + ", and instance " + heartbeat.instanceId() + " answers");
        }
        return Optional.empty();
    }

    void complete(Message answer) {
        future.complete(answerClass.cast(answer));
    }

    KmpException refused(String to, ErrorAnswer error) {
        return new KmpException(Reason.REFUSED, request.type() + to + ": " + Errors.text(error), Optional.of(error), 0);
    }

    KmpException retry(String to, RetryAnswer retry) {
        return new KmpException(
                Reason.RETRY, request.type() + to + ": " + Errors.text(retry), Optional.empty(), retry.delayMillis());
    }

    KmpException failed(Reason reason, String to, String why) {
        return new KmpException(reason, request.type() + to + ": " + why);
    }
}
