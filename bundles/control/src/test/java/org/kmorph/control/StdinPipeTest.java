// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StdinPipeTest {
    private final BlockingQueue<Integer> credit = new LinkedBlockingQueue<>();
    private final StdinPipe pipe = new StdinPipe(credit::add);

    @Test
    void anyChoppingComesOutAsItWentIn() throws Exception {
        byte[] data = new byte[1_000_003];
        Random random = new Random(3);
        random.nextBytes(data);
        Thread client = new Thread(() -> send(data, random));
        client.start();
        ByteArrayOutputStream read = new ByteArrayOutputStream();
        byte[] buffer = new byte[50_000];
        Random sizes = new Random(4);
        for (int n = 0; n >= 0; ) {
            read.write(buffer, 0, n);
            n = pipe.read(buffer, 0, 1 + sizes.nextInt(buffer.length));
        }
        client.join();
        assertThat(read.toByteArray()).isEqualTo(data);
    }

    /** A client that sends all it may, in pieces of any size. */
    private void send(byte[] data, Random random) {
        try {
            int may = 0;
            int sent = 0;
            while (sent < data.length) {
                while (may == 0) {
                    may = credit.poll(20, TimeUnit.SECONDS);
                }
                int n = Math.min(1 + random.nextInt(may), data.length - sent);
                pipe.arrived(java.util.Arrays.copyOfRange(data, sent, sent + n));
                sent += n;
                may -= n;
            }
            pipe.end();
        } catch (Refusal | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void nothingIsAskedForBeforeTheFirstRead() throws IOException {
        assertThat(credit).isEmpty();
        assertThat(pipe.available()).isZero();
        pipe.end();
        assertThat(pipe.read()).isEqualTo(-1);
        assertThat(credit).isEmpty();
    }

    @Test
    void cancellingEndsTheWaitForInput() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(pipe::read).isInstanceOf(InterruptedIOException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void moreThanTheCreditIsRefused() throws Exception {
        Thread reader = new Thread(() -> {
            try {
                pipe.read();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        reader.start();
        assertThat(credit.poll(20, TimeUnit.SECONDS)).isEqualTo(StdinPipe.WINDOW);
        assertThatThrownBy(() -> pipe.arrived(new byte[StdinPipe.WINDOW + 1]))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("credit for 65536");
        pipe.end();
        reader.join();
    }
}
