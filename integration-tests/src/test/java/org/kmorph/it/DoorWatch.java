// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Asks at the daemon's door without pause, and keeps the longest time between two answers. */
final class DoorWatch implements AutoCloseable {
    private final Kmorph kmorph;
    private final Thread thread = new Thread(this::watch, "door-watch");
    private volatile boolean closing;
    private final Queue<Result> refusals = new ConcurrentLinkedQueue<>();
    private volatile long longestNanos;
    private volatile long lastAnswer = System.nanoTime();

    private DoorWatch(Kmorph kmorph) {
        this.kmorph = kmorph;
    }

    static DoorWatch over(Kmorph kmorph) {
        DoorWatch watch = new DoorWatch(kmorph);
        watch.thread.start();
        return watch;
    }

    private void watch() {
        while (!closing) {
            Result result = kmorph.ctl("daemon", "status", "-o", "json");
            if (result.status() == 0) {
                long now = System.nanoTime();
                longestNanos = Math.max(longestNanos, now - lastAnswer);
                lastAnswer = now;
            } else {
                refusals.add(result);
            }
        }
    }

    /** The longest time from one answer to the next so far, the silence that still lasts included. */
    Duration longestSilence() {
        return Duration.ofNanos(Math.max(longestNanos, System.nanoTime() - lastAnswer));
    }

    /** The answers so far that were none. */
    List<Result> refusals() {
        return List.copyOf(refusals);
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        thread.join();
    }
}
