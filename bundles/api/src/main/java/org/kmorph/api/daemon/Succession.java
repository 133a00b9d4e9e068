// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The right to act as the one provider of something, which passes from the old version of a bundle to the new one that is
 * started beside it. It is a lock on a file: the whole JVM sees it, whatever class loader asks, and a killed daemon gives it
 * back.
 *
 * <p>The successor waits in a thread of its own, not in its activation: an update is complete only when the old one stops, and
 * that happens after the new one is active.
 */
public final class Succession {
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(2);

    /** What is done when the right has been taken. */
    @FunctionalInterface
    public interface Duty {
        /**
         * @throws IOException when it cannot be done; the right is given back
         * @throws IllegalArgumentException when what a predecessor wrote down cannot be understood; the same
         * @throws InterruptedException when there is no point in doing it any more
         */
        void take() throws IOException, InterruptedException;
    }

    private final Path file;
    private final Duty duty;
    private final Consumer<Exception> failure;
    private final Thread thread;

    /**
     * @param file is locked by whoever has the right, and made when it is not there
     * @param name of the thread
     * @param duty is done once, on that thread; the right is held from then until {@link #end}
     * @param failure is told, on that thread, why the duty cannot be done
     */
    public Succession(Path file, String name, Duty duty, Consumer<Exception> failure) {
        this.file = file;
        this.duty = duty;
        this.failure = failure;
        thread = new DaemonThreads(name).newThread(this::act);
    }

    /** Begins to wait for the right. */
    public void begin() {
        thread.start();
    }

    /** Gives up waiting, or the right: nothing may be done any more by whoever held it. What the duty still does is interrupted. */
    public void end() throws InterruptedException {
        thread.interrupt();
        thread.join();
    }

    private void act() {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            while (!taken(channel)) {
                TimeUnit.NANOSECONDS.sleep(BETWEEN_TRIES.toNanos());
            }
            duty.take();
            new CountDownLatch(1).await();
        } catch (IOException | IllegalArgumentException e) {
            failure.accept(e);
        } catch (InterruptedException e) {
            // ended: the lock goes with the channel
        }
    }

    private static boolean taken(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }
}
