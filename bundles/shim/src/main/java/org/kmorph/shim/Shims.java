// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shim;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.api.host.HostException;
import org.kmorph.api.transport.Connection;
import org.kmorph.api.transport.Endpoint;
import org.kmorph.api.transport.Transport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shims of one host's instances. A shim is known by its directory alone: what this object keeps besides is who wants to be told of
 * an end, so it can be dropped and made anew at any time. Thread-safe.
 */
public final class Shims implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Shims.class);

    private static final Duration CONNECT = Duration.ofSeconds(5);

    private static final Duration BETWEEN_TRIES = Duration.ofMillis(100);

    /** A shim that has said that it ends does so at once. */
    private static final Duration SOON = Duration.ofMillis(5);

    /** How long the shim's program may take to say that the kernel's process runs. */
    private static final Duration START = Duration.ofSeconds(30);

    private final Path program;
    private final Supplier<Optional<Transport>> unix;
    private final Map<Path, Watch> watched = new ConcurrentHashMap<>();
    private final ScheduledExecutorService timer;
    private volatile boolean closed;

    /**
     * @param program kmorph-shim
     * @param unix the transport of scheme {@code unix}, when there is one: it comes and goes with its bundle
     */
    public Shims(Path program, Supplier<Optional<Transport>> unix) {
        this.program = program;
        this.unix = unix;
        ScheduledThreadPoolExecutor one = new ScheduledThreadPoolExecutor(1, new DaemonThreads("kmorph-shims"));
        one.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        timer = one;
    }

    /**
     * Starts a shim, and below it a kernel's process.
     *
     * @param directory exists, and has no shim
     * @param options of the shim itself
     * @param command the kernel's program and its arguments
     * @throws HostException when it does not run; nothing of it is left
     */
    public void start(Path directory, List<String> options, List<String> command)
            throws HostException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(program.toString(), "--dir", directory.toString()));
        words.addAll(options);
        words.add("--");
        words.addAll(command);
        Ran ran = run(words, START);
        if (ran.status() != 0) {
            throw new HostException(ran.errors().isBlank() ? program + " ended with " + ran.status() : ran.errors());
        }
    }

    /**
     * How its kernel stands. A shim that is not there any more is an end too: its kernel went with it, and that is made sure of.
     *
     * @throws HostException when it cannot be told
     */
    public ShimStatus status(Path directory, Duration patience) throws HostException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
            Optional<ShimStatus> told = ask(directory, Optional.empty(), ShimStatus::parse, left);
            if (told.isPresent()) {
                return told.get();
            }
            try {
                fenceWhatIsLeft(directory, left);
                return ShimStatus.ended(recordedEnd(directory));
            } catch (HostException e) {
                // it lives, and could not be asked: the transport is being replaced, or the shim is slow
                if (System.nanoTime() >= deadline) {
                    throw e;
                }
            }
            TimeUnit.NANOSECONDS.sleep(SOON.toNanos());
        }
    }

    /**
     * Calls back once when its kernel ends, also if it has ended already or its shim is gone.
     *
     * @param ended told how, on a thread that must not be blocked
     */
    public void watch(Path directory, Consumer<String> ended) {
        Watch watch = new Watch(directory, ended);
        Optional.ofNullable(watched.put(directory, watch)).ifPresent(Watch::end);
        watch.connect();
    }

    private static String recordedEnd(Path directory) {
        try {
            return ShimStatus.describeExit(
                    List.of(Files.readString(directory.resolve("exit")).strip().split(" ")));
        } catch (IOException | IllegalArgumentException e) {
            return "its shim is gone, and it with it: the machine was restarted, or the shim killed";
        }
    }

    /** Calls nobody back about it any more. */
    public void forget(Path directory) {
        Optional.ofNullable(watched.remove(directory)).ifPresent(Watch::end);
    }

    /**
     * Returns once nothing of the kernel runs, nor of what it has started.
     *
     * @throws HostException when that is not certain within {@code patience}
     */
    public void fence(Path directory, Duration patience) throws HostException, InterruptedException {
        forget(directory);
        untilNothingIsLeft(directory, "FENCE", "FENCED", patience);
    }

    /** Lets the shim of a fenced kernel end. @throws HostException when it does not within {@code patience} */
    public void quit(Path directory, Duration patience) throws HostException, InterruptedException {
        forget(directory);
        untilNothingIsLeft(directory, "QUIT", "", patience);
    }

    /** Asks the shim, as long as there is one, and takes care of what is left without one. */
    private void untilNothingIsLeft(Path directory, String request, String suffices, Duration patience)
            throws HostException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        HostException last;
        do {
            Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
            Optional<String> answer = ask(directory, Optional.of(request), Shims::answerIn, left);
            if (answer.equals(Optional.of(suffices))) {
                return;
            }
            try {
                fenceWhatIsLeft(directory, left);
                return;
            } catch (HostException e) {
                last = answer.filter(line -> line.startsWith("ERROR "))
                        .map(line -> new HostException(line.substring("ERROR ".length())))
                        .orElse(e);
            }
            TimeUnit.NANOSECONDS.sleep(SOON.toNanos());
        } while (System.nanoTime() < deadline);
        throw new HostException(
                "the shim in " + directory + " has not confirmed within " + patience.toMillis()
                        + " ms that nothing runs: " + last.getMessage(),
                last);
    }

    /** A line that answers a request, and does not tell how the kernel stands. */
    private static Optional<String> answerIn(String line) {
        return Optional.of(line).filter(text -> ShimStatus.parse(text).isEmpty());
    }

    /** Makes certain, without a shim, that nothing of it runs. @throws HostException when there is a shim, or it takes too long */
    private void fenceWhatIsLeft(Path directory, Duration patience) throws HostException, InterruptedException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        Ran ran = run(List.of(program.toString(), "--dir", directory.toString(), "--fence"), patience);
        if (ran.status() != 0) {
            throw new HostException(ran.errors());
        }
    }

    /**
     * Sends a request and waits for the line that answers it.
     *
     * @return empty when there is no such answer in time, or no shim
     */
    private <T> Optional<T> ask(Path directory, Optional<String> request, LineReader<T> reader, Duration patience)
            throws InterruptedException {
        Optional<Transport> transport = awaitTransport(patience);
        if (transport.isEmpty()) {
            return Optional.empty();
        }
        BlockingQueue<Optional<T>> answer = new LinkedBlockingQueue<>();
        Connection connection = ShimLine.open(
                transport.get(),
                socket(directory),
                patience.compareTo(CONNECT) < 0 ? patience : CONNECT,
                request,
                line -> reader.read(line).ifPresent(value -> answer.add(Optional.of(value))),
                why -> answer.add(Optional.empty()));
        Optional<T> first = answer.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        connection.close("asked");
        return first == null ? Optional.empty() : first;
    }

    /** While the daemon starts, or a bundle is replaced, the transport may come a moment later than whoever needs it. */
    private Optional<Transport> awaitTransport(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        Optional<Transport> transport = unix.get();
        while (transport.isEmpty() && System.nanoTime() < deadline) {
            TimeUnit.NANOSECONDS.sleep(SOON.toNanos());
            transport = unix.get();
        }
        return transport;
    }

    private static Endpoint socket(Path directory) {
        return new Endpoint("unix", directory.resolve("shim.sock").toString());
    }

    private static Ran run(List<String> command, Duration patience) throws HostException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().keySet().retainAll(List.of("PATH", "LANG", "TZ"));
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(patience.toNanos(), TimeUnit.NANOSECONDS)) {
                process.destroyForcibly();
                throw new HostException(
                        String.join(" ", command) + " did not end within " + patience.toMillis() + " ms");
            }
            String errors = new String(process.getErrorStream().readNBytes(4096), StandardCharsets.UTF_8);
            return new Ran(process.exitValue(), errors.strip());
        } catch (IOException e) {
            throw new HostException("cannot run " + command.get(0) + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        closed = true;
        timer.shutdownNow();
        watched.values().forEach(Watch::end);
        watched.clear();
    }

    /** Waits for one kernel to end, over as many connections as that takes. */
    private final class Watch {
        private final Path directory;
        private final Consumer<String> ended;
        private Optional<Connection> connection = Optional.empty();
        private boolean over;

        Watch(Path directory, Consumer<String> ended) {
            this.directory = directory;
            this.ended = ended;
        }

        synchronized void connect() {
            Optional<Transport> transport = over ? Optional.empty() : unix.get();
            connection = transport.map(open -> ShimLine.open(
                    open,
                    socket(directory),
                    CONNECT,
                    Optional.empty(),
                    line -> ShimStatus.parse(line).flatMap(ShimStatus::ended).ifPresent(this::tell),
                    why -> later(this::lost)));
            if (transport.isEmpty() && !over) {
                later(this::connect);
            }
        }

        /** The connection has ended: the transport was replaced, or the shim is gone. */
        private void lost() {
            if (isOver()) {
                return;
            }
            try {
                fenceWhatIsLeft(directory, CONNECT);
                tell(recordedEnd(directory));
            } catch (HostException e) {
                LOG.debug("the shim of {} lives: {}", directory, e.getMessage());
                connect();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void later(Runnable what) {
            if (!closed) {
                timer.schedule(what, BETWEEN_TRIES.toMillis(), TimeUnit.MILLISECONDS);
            }
        }

        private synchronized boolean isOver() {
            return over;
        }

        private void tell(String how) {
            synchronized (this) {
                if (over) {
                    return;
                }
                over = true;
            }
            watched.remove(directory, this);
            ended.accept(how);
            connection.ifPresent(open -> open.close("it has ended"));
        }

        synchronized void end() {
            over = true;
            connection.ifPresent(open -> open.close("nobody wants to be told"));
        }
    }

    private record Ran(int status, String errors) {}

    /** Understands a line, or leaves it to others. */
    @FunctionalInterface
    private interface LineReader<T> {
        Optional<T> read(String line);
    }
}
