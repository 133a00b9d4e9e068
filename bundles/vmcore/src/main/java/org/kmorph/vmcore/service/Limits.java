// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.service;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.kmorph.api.vmcore.Vmcores;

/** What an automatic capture may take: so much time, and no more of the disk than leaves enough for others. Ends it by an exception. */
final class Limits implements Vmcores.Progress {
    /** Bytes of memory after which the disk is looked at again. */
    private static final long LOOK = 1L << 26;

    private final Duration deadline;
    private final long end;
    private final FileStore disk;
    private final Path directory;
    private final long leave;
    private final BooleanSupplier stopped;
    private final Vmcores.Progress progress;
    private final AtomicLong looked = new AtomicLong();

    /**
     * @param leave bytes that are to stay free where {@code directory} is
     * @param stopped whether the service is to end
     * @param progress told as well
     */
    Limits(Duration deadline, Path directory, long leave, BooleanSupplier stopped, Vmcores.Progress progress)
            throws IOException {
        this.deadline = deadline;
        this.end = System.nanoTime() + deadline.toNanos();
        this.directory = directory;
        this.disk = Files.getFileStore(directory);
        this.leave = leave;
        this.stopped = stopped;
        this.progress = progress;
    }

    /** @throws IOException when a limit is reached */
    void check() throws IOException {
        if (stopped.getAsBoolean()) {
            throw new IOException("the bundle vmcore was stopped");
        }
        if (System.nanoTime() - end > 0) {
            throw new IOException("it took longer than " + deadline.toMillis() + " ms");
        }
        long free = disk.getUsableSpace();
        if (free < leave) {
            throw new IOException("no room: " + free + " bytes are free where " + directory + " is, and " + leave
                    + " are left to others (leave.bytes in etc/org.kmorph.vmcore.cfg)");
        }
    }

    @Override
    public void update(long done, long total) {
        long last = looked.get();
        try {
            if (done - last >= LOOK && looked.compareAndSet(last, done) || System.nanoTime() - end > 0) {
                check();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        progress.update(done, total);
    }
}
