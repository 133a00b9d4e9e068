// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The right to act as the one provider of something, which passes from the old version of a bundle to the new one that is
 * started beside it. It is a lock on a file: the whole JVM sees it, whatever class loader asks, and a killed daemon gives it
 * back.
 *
 * <p>The successor waits in a thread of its own, not in its activation: an update is complete only when the old one stops, and
 * that happens after the new one is active.
 */
public final class Succession implements AutoCloseable {
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(2);

    private final FileChannel channel;

    private Succession(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Waits until the right is free, and takes it.
     *
     * @param file is made when it is not there
     * @throws InterruptedException when there is no point in waiting any more
     */
    public static Succession await(Path file) throws IOException, InterruptedException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            while (!taken(channel)) {
                TimeUnit.NANOSECONDS.sleep(BETWEEN_TRIES.toNanos());
            }
            return new Succession(channel);
        } catch (IOException | InterruptedException e) {
            channel.close();
            throw e;
        }
    }

    private static boolean taken(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** Lets the successor act. Nothing may be done any more by whoever held it. */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}
