// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.LongConsumer;
import org.kmorph.api.daemon.DaemonThreads;

/**
 * A run of kmorph-capture, the program that reads, packs and writes memory as it is told; docs/vmcore.md has what is said between the two.
 * It is a process of its own so that it can be quick without the daemon's compiler, give way to others, and be ended at any moment.
 */
final class Program implements AutoCloseable {
    private final Process process;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final List<Thread> helpers = new ArrayList<>();

    /** What the program is told. */
    interface Orders {
        void give(Dictation to) throws IOException, InterruptedException;
    }

    /** A line of the program's, or what ended one of our threads. */
    private record Event(String line, Exception failure) {}

    /** What was written. @param sha256 hexadecimal, empty where there is none */
    record Written(long bytes, String sha256) {}

    private Program(Path program, int threads, List<String> where) throws IOException {
        List<String> words = new ArrayList<>(List.of(program.toString(), Integer.toString(threads)));
        words.addAll(where);
        process = new ProcessBuilder(words).start();
    }

    /**
     * Writes to a regular file, which is made with mode 0600, or emptied, when the first order is given.
     *
     * @param digested whether SHA-256 goes through it
     */
    static Program toFile(Path program, int threads, Path file, boolean digested) throws IOException {
        return new Program(program, threads, List.of(digested ? "file" : "plain", file.toString()));
    }

    /** Writes a stream to a FIFO, which is opened with the first order; begins when that has a reader. */
    static Program toFifo(Path program, int threads, Path fifo) throws IOException {
        return new Program(program, threads, List.of("stream", fifo.toString()));
    }

    /** Writes a stream, from a thread of its own. */
    static Program toStream(Path program, int threads, OutputStream out) throws IOException {
        Program started = new Program(program, threads, List.of("stream"));
        started.help("stream", () -> {
            try (var bytes = started.process.getInputStream()) {
                bytes.transferTo(out);
                out.flush();
            }
        });
        return started;
    }

    /**
     * Has it done, and waits.
     *
     * @param progress is told, on this thread, how many bytes of memory were dealt with; what it throws ends the capture
     * @throws IOException when it failed; the program has ended then
     * @throws InterruptedException when interrupted; the program has ended then
     */
    Written run(Orders orders, LongConsumer progress) throws IOException, InterruptedException {
        try (BufferedReader errors =
                new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
            help("told", () -> {
                for (String line = errors.readLine(); line != null; line = errors.readLine()) {
                    events.add(new Event(line, null));
                }
                events.add(new Event("", null));
            });
            OutputStream stdin = process.getOutputStream();
            help("orders", () -> {
                Dictation dictation = new Dictation(new BufferedOutputStream(new Ear(stdin), 1 << 16));
                orders.give(dictation);
                dictation.end();
            });
            Written written = await(progress);
            stdin.close();
            for (Thread helper : helpers) {
                helper.join();
            }
            failure();
            return written;
        } finally {
            close();
        }
    }

    private Written await(LongConsumer progress) throws IOException, InterruptedException {
        Exception failure = null;
        while (true) {
            Event event = events.take();
            if (event.failure() != null) {
                // where the program says why it ended, that is the reason, and not that nobody listened to the orders
                failure = failure == null ? event.failure() : failure;
                if (!(failure instanceof Unheard)) {
                    throw failed(failure);
                }
            } else if (event.line().isEmpty()) {
                throw failure != null
                        ? failed(failure)
                        : new IOException("kmorph-capture ended before it was done, with status " + process.waitFor());
            } else if (event.line().startsWith("done ")) {
                tell(progress, Long.parseLong(event.line().substring(5)));
            } else if (event.line().startsWith("whole ")) {
                String[] words = event.line().split(" ");
                return new Written(Long.parseLong(words[1]), words[2].equals("-") ? "" : words[2]);
            } else {
                throw new IOException(event.line().replaceFirst("^error ", ""));
            }
        }
    }

    private static void tell(LongConsumer progress, long done) throws IOException {
        try {
            progress.accept(done);
        } catch (UncheckedIOException e) {
            throw new IOException(e.getCause().getMessage(), e);
        }
    }

    /** A stream may fail after the program has written all of it. */
    private void failure() throws IOException {
        for (Event event : events) {
            if (event.failure() != null) {
                throw failed(event.failure());
            }
        }
    }

    private static IOException failed(Exception failure) {
        return failure instanceof IOException e ? e : new IOException("the capture failed: " + failure, failure);
    }

    /** The program takes no more orders: it has ended, or is about to. */
    private static final class Unheard extends IOException {
        private static final long serialVersionUID = 1L;

        Unheard(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** The program's standard input, whose errors are told from those of what is written to it. */
    private static final class Ear extends FilterOutputStream {
        Ear(OutputStream stdin) {
            super(stdin);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                out.write(bytes, offset, length);
            } catch (IOException e) {
                throw new Unheard(e);
            }
        }

        @Override
        public void flush() throws IOException {
            try {
                out.flush();
            } catch (IOException e) {
                throw new Unheard(e);
            }
        }
    }

    private interface Task {
        void run() throws IOException, InterruptedException;
    }

    private void help(String name, Task task) {
        Thread thread = new DaemonThreads("vmcore-" + name).newThread(() -> {
            try {
                task.run();
            } catch (IOException | InterruptedException | RuntimeException e) {
                events.add(new Event("", e));
            }
        });
        helpers.add(thread);
        thread.start();
    }

    /** Ends the program, and waits until it has. What it has written stays. */
    @Override
    public void close() {
        process.destroyForcibly();
        boolean interrupted = false;
        while (true) {
            try {
                process.waitFor();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
