// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Asks at a door of the daemon again and again, and keeps the longest time between two answers. */
final class DoorWatch implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 10_000;

    /** Between two questions, or those who ask take the processors of those who are to answer. */
    private static final int PAUSE_MILLIS = 20;

    /** Asks once: nothing when it was answered, else what came instead. */
    private final Supplier<Optional<String>> question;

    private final Thread thread = new Thread(this::watch, "door-watch");
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Queue<String> refusals = new ConcurrentLinkedQueue<>();
    private volatile long longestNanos;
    private volatile long lastAnswer = System.nanoTime();

    private DoorWatch(Supplier<Optional<String>> question) {
        this.question = question;
        thread.start();
    }

    /** The control socket, by a command. */
    static DoorWatch control(Kmorph kmorph) {
        return new DoorWatch(() -> {
            Result result = kmorph.ctl("daemon", "status", "-o", "json");
            return result.status() == 0 ? Optional.empty() : Optional.of(result.toString());
        });
    }

    /** SSH, by the first byte that the server says (RFC 4253, 4.2). */
    static DoorWatch ssh(int port) {
        return new DoorWatch(() -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(PATIENCE_MILLIS);
                int first = socket.getInputStream().read();
                return first == 'S' ? Optional.empty() : Optional.of("read " + first);
            } catch (IOException e) {
                return Optional.of(e.toString());
            }
        });
    }

    private void watch() {
        try {
            do {
                ask();
            } while (!closing.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void ask() {
        Optional<String> refusal = question.get();
        if (refusal.isEmpty()) {
            long now = System.nanoTime();
            longestNanos = Math.max(longestNanos, now - lastAnswer);
            lastAnswer = now;
        } else {
            refusals.add(refusal.get());
        }
    }

    /** The longest time from one answer to the next so far, the silence that still lasts included. */
    Duration longestSilence() {
        return Duration.ofNanos(Math.max(longestNanos, System.nanoTime() - lastAnswer));
    }

    /** The answers so far that were none. */
    List<String> refusals() {
        return List.copyOf(refusals);
    }

    @Override
    public void close() throws InterruptedException {
        closing.countDown();
        thread.join();
    }
}
