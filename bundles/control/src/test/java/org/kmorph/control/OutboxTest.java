// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.kmorph.api.command.ExitCode;

@Timeout(30)
class OutboxTest {
    private final AtomicInteger woken = new AtomicInteger();
    private final Outbox outbox = new Outbox(woken::incrementAndGet);

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    private void print(String text) throws InterruptedIOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        outbox.data(FrameType.STDOUT, bytes, 0, bytes.length);
    }

    private void fill() throws InterruptedIOException {
        outbox.data(FrameType.STDOUT, new byte[Outbox.LIMIT], 0, Outbox.LIMIT);
    }

    @Test
    void smallPrintsBecomeOneFrameAndOneWakeUp() throws InterruptedIOException {
        for (int i = 0; i < 1000; i++) {
            print("ab");
        }
        ByteBuffer frame = outbox.take().orElseThrow();
        assertThat(frame.remaining()).isEqualTo(Frame.HEADER + 2000);
        assertThat(frame.get(0)).isEqualTo(FrameType.STDOUT.code());
        assertThat(frame.getInt(1)).isEqualTo(2000);
        assertThat(outbox.take()).isEmpty();
        assertThat(woken).hasValue(1);
    }

    @Test
    void orderOfStreamsIsKept() throws InterruptedIOException {
        print("a");
        outbox.data(FrameType.STDERR, new byte[] {'b'}, 0, 1);
        print("c");
        assertThat(outbox.take().orElseThrow().get(5)).isEqualTo((byte) 'a');
        assertThat(outbox.take().orElseThrow().get(5)).isEqualTo((byte) 'b');
        assertThat(outbox.take().orElseThrow().get(5)).isEqualTo((byte) 'c');
    }

    @Test
    void fullBoxLetsTheWriterWaitUntilSomethingIsTaken() throws Exception {
        fill();
        CompletableFuture<Boolean> writer = CompletableFuture.supplyAsync(() -> {
            try {
                print("more");
                return true;
            } catch (InterruptedIOException e) {
                return false;
            }
        });
        assertThat(writer).isNotDone();
        outbox.take();
        assertThat(writer.get(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void goneClientFreesTheWriter() throws Exception {
        fill();
        CompletableFuture<Boolean> writer = CompletableFuture.supplyAsync(() -> {
            try {
                print("more");
                return true;
            } catch (InterruptedIOException e) {
                return false;
            }
        });
        outbox.abandon();
        assertThat(writer.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(outbox.take()).isEmpty();
        assertThat(outbox.finished()).isTrue();
    }

    @Test
    void cancelledCommandStillGetsItsWordsIn() throws InterruptedIOException {
        Thread.currentThread().interrupt();
        print("cancelled; nothing was changed");
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        assertThat(outbox.take()).isPresent();
    }

    @Test
    void cancelledCommandWaitsForAStuckClientOnlyOnce() throws InterruptedIOException {
        fill();
        Thread.currentThread().interrupt();
        long start = System.nanoTime();
        assertThatThrownBy(() -> print("lost")).isInstanceOf(InterruptedIOException.class);
        assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(Outbox.FAREWELL.toNanos());
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        // a thousand lines more do not wait a thousand times: the timeout of this class would see it
        for (int i = 0; i < 1000; i++) {
            print("lost too");
        }
        outbox.last(Frame.exit(ExitCode.FAILED));
        assertThat(outbox.finished()).isFalse();
        ByteBuffer last = ByteBuffer.allocate(0);
        for (Optional<ByteBuffer> b = outbox.take(); b.isPresent(); b = outbox.take()) {
            last = b.get();
        }
        assertThat(last.get(0)).isEqualTo(FrameType.EXIT.code());
        assertThat(outbox.finished()).isTrue();
    }

    @Test
    void nothingFollowsTheLastWord() throws InterruptedIOException {
        outbox.last(Frame.exit(ExitCode.DONE));
        print("late");
        outbox.last(Frame.exit(ExitCode.FAILED));
        assertThat(outbox.take().orElseThrow().get(Frame.HEADER)).isZero();
        assertThat(outbox.take()).isEmpty();
    }
}
