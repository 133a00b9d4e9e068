// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import org.kmorph.api.command.ExitCode;

/** One client's connection. All of it belongs to the I/O thread, except the outbox. */
final class Connection {
    private static final long NEVER = Long.MAX_VALUE;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final Outbox outbox;
    private final Duration patience;
    private final Function<StartRequest, Call> starter;
    private final FrameDecoder decoder = new FrameDecoder();
    private Optional<Call> call = Optional.empty();
    private Optional<ByteBuffer> writing = Optional.empty();
    private boolean refused;
    private long deadlineNanos;

    /**
     * @param patience how long the client may take for its request, and for the rest of a frame that it has begun
     * @param starter begins a call
     */
    Connection(
            SocketChannel channel,
            SelectionKey key,
            Outbox outbox,
            Duration patience,
            Function<StartRequest, Call> starter,
            long nowNanos) {
        this.channel = channel;
        this.key = key;
        this.outbox = outbox;
        this.patience = patience;
        this.starter = starter;
        this.deadlineNanos = nowNanos + patience.toNanos();
    }

    /** Reads what there is, as far as one buffer goes. @return whether the connection lives on */
    boolean read(ByteBuffer buffer, long nowNanos) {
        buffer.clear();
        try {
            if (channel.read(buffer) < 0) {
                return false;
            }
        } catch (IOException e) {
            return false;
        }
        if (refused || outbox.finished()) {
            return true;
        }
        buffer.flip();
        try {
            boolean progress = false;
            for (Optional<Frame> f = decoder.next(buffer); f.isPresent(); f = decoder.next(buffer)) {
                handle(f.get());
                progress = true;
            }
            watchFrame(progress, nowNanos);
        } catch (Refusal e) {
            refuse(e, nowNanos);
        }
        return true;
    }

    /** Writes what the client takes now. @return whether the connection lives on */
    boolean write() {
        try {
            while (true) {
                if (writing.isEmpty()) {
                    writing = outbox.take();
                }
                if (writing.isEmpty()) {
                    key.interestOps(SelectionKey.OP_READ);
                    return !outbox.finished();
                }
                ByteBuffer b = writing.get();
                channel.write(b);
                if (b.hasRemaining()) {
                    key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                    return true;
                }
                writing = Optional.empty();
            }
        } catch (IOException e) {
            return false;
        }
    }

    /** What the client did not do in time is answered. @return whether the connection lives on */
    boolean checkDeadline(long nowNanos) {
        if (deadlineNanos == NEVER || nowNanos - deadlineNanos < 0) {
            return true;
        }
        if (refused) {
            return false;
        }
        String what = call.isEmpty() && !decoder.insideFrame() ? "no request came" : "a frame did not become whole";
        refuse(Refusal.malformed(what + " within " + patience.toMillis() + " ms"), nowNanos);
        return true;
    }

    /** Milliseconds until {@link #checkDeadline} has something to do, at least 1; empty when it never has. */
    Optional<Long> untilDeadlineMillis(long nowNanos) {
        return deadlineNanos == NEVER
                ? Optional.empty()
                : Optional.of(
                        Math.max(1, Duration.ofNanos(deadlineNanos - nowNanos).toMillis() + 1));
    }

    /** Lets go of everything; a command that is not detached is cancelled. */
    void close() {
        outbox.abandon();
        call.ifPresent(Call::clientGone);
        key.cancel();
        try {
            channel.close();
        } catch (IOException e) {
            // the descriptor is gone all the same
        }
    }

    /** Says why not, and closes when that is written. */
    void refuse(Refusal why, long nowNanos) {
        refused = true;
        deadlineNanos = nowNanos + patience.toNanos();
        outbox.last(Frame.error(why.code(), why.getMessage()));
        call.ifPresent(Call::cancel);
    }

    private void watchFrame(boolean progress, long nowNanos) {
        if (call.isPresent() && !decoder.insideFrame()) {
            deadlineNanos = NEVER;
        } else if (call.isPresent() && (progress || deadlineNanos == NEVER)) {
            deadlineNanos = nowNanos + patience.toNanos();
        }
    }

    private void handle(Frame frame) throws Refusal {
        if (call.isEmpty()) {
            if (frame.type() != FrameType.START) {
                throw Refusal.malformed(frame.type() + " before START");
            }
            call = Optional.of(starter.apply(StartRequest.parse(frame.payload())));
        } else {
            tell(call.get(), frame);
        }
    }

    private static void tell(Call call, Frame frame) throws Refusal {
        switch (frame.type()) {
            case STDIN -> call.stdin().arrived(frame.payload());
            case STDIN_END -> {
                expectEmpty(frame);
                call.stdin().end();
            }
            case RESIZE -> call.resized(WindowSize.read(ByteBuffer.wrap(frame.payload())));
            case CANCEL -> {
                expectEmpty(frame);
                call.cancel();
            }
            default -> throw Refusal.malformed("a second START");
        }
    }

    private static void expectEmpty(Frame frame) throws Refusal {
        if (frame.payload().length != 0) {
            throw new Refusal(
                    ExitCode.DAEMON_UNREACHABLE,
                    frame.type() + " with a payload of " + frame.payload().length + " bytes, where none was expected");
        }
    }
}
