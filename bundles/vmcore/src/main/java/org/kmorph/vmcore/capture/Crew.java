// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.kmorph.api.daemon.DaemonThreads;

/** Threads that take numbered pieces of work until there are none; the first that fails ends all. */
final class Crew {
    /** One thread's work; closed when the thread is done. */
    interface Worker extends AutoCloseable {
        void work(long piece) throws IOException;

        @Override
        void close();
    }

    /** Makes a worker on the thread that it will work on. */
    interface Workers {
        Worker hire() throws IOException;
    }

    private Crew() {}

    /** @throws InterruptedException when interrupted; no thread works any more then */
    static void run(int threads, long pieces, Workers workers) throws IOException, InterruptedException {
        AtomicLong next = new AtomicLong();
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService pool = Executors.newFixedThreadPool(threads, new DaemonThreads("vmcore-capture"));
        List<Future<?>> running = new ArrayList<>();
        try {
            for (int i = 0; i < Math.min(threads, Math.max(1, pieces)); i++) {
                running.add(pool.submit(() -> {
                    try (Worker worker = workers.hire()) {
                        for (long piece = next.getAndIncrement();
                                piece < pieces && !stop.get();
                                piece = next.getAndIncrement()) {
                            worker.work(piece);
                        }
                    } catch (IOException | RuntimeException | Error e) {
                        stop.set(true);
                        throw e;
                    }
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw new IOException(cause.getMessage(), cause);
            }
            if (e.getCause() instanceof UncheckedIOException cause) {
                throw new IOException(cause.getCause().getMessage(), cause);
            }
            throw new IOException("a thread of the capture failed: " + e.getCause(), e.getCause());
        } finally {
            // threads are not interrupted: that would close the channels that they share
            stop.set(true);
            pool.shutdown();
            awaitAll(running);
        }
    }

    private static void awaitAll(List<Future<?>> running) {
        boolean interrupted = false;
        for (Future<?> one : running) {
            while (true) {
                try {
                    one.get();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    break;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
