// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.CommandRunner;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Session;

/** Commands that do one thing each that a door must carry. */
final class TestCommands implements CommandRunner {
    /** Lets {@code step} and {@code detached} go on. */
    final CountDownLatch go = new CountDownLatch(1);

    final CountDownLatch detachedDone = new CountDownLatch(1);
    final AtomicLong printed = new AtomicLong();
    final Set<String> cancelled = ConcurrentHashMap.newKeySet();
    final Semaphore holding = new Semaphore(0);

    private final Map<String, Body> bodies = Map.ofEntries(
            Map.entry("echo", this::echo),
            Map.entry("exit", (s, w) -> ExitCode.values()[Integer.parseInt(w.get(1))]),
            Map.entry("cat", this::cat),
            Map.entry("first-line", this::firstLine),
            Map.entry("step", this::step),
            Map.entry("hold", this::hold),
            Map.entry("detached", this::detached),
            Map.entry("flood", this::flood),
            Map.entry("windows", this::windows),
            Map.entry("keys", this::keys),
            Map.entry("who", this::who),
            Map.entry("broken", (s, w) -> {
                throw new IllegalStateException("a defect");
            }));

    @FunctionalInterface
    private interface Body {
        ExitCode run(Session session, List<String> words) throws IOException, InterruptedException;
    }

    @Override
    public ExitCode run(Session session, List<String> words) {
        try {
            return bodies.get(words.get(0)).run(session, words);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            session.err().println("cancelled; nothing was changed");
            cancelled.add(words.get(0));
            return ExitCode.FAILED;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public List<Candidate> complete(Caller caller, List<String> words) {
        return List.of();
    }

    @Override
    public SortedMap<String, CommandSpec> commands() {
        return new TreeMap<>();
    }

    private ExitCode echo(Session session, List<String> words) {
        session.out().println(String.join("|", words.subList(1, words.size())));
        session.err().println("message");
        return ExitCode.DONE;
    }

    private ExitCode cat(Session session, List<String> words) throws IOException {
        long n = session.in().transferTo(session.out());
        session.err().println(n + " bytes");
        return ExitCode.DONE;
    }

    private ExitCode firstLine(Session session, List<String> words) throws IOException {
        for (int c = session.in().read(); c >= 0 && c != '\n'; c = session.in().read()) {
            session.out().write(c);
        }
        session.out().println();
        return ExitCode.DONE;
    }

    private ExitCode step(Session session, List<String> words) throws InterruptedException {
        session.out().print("one ");
        go.await();
        session.out().println("two");
        return ExitCode.DONE;
    }

    private ExitCode hold(Session session, List<String> words) throws InterruptedException {
        session.out().println("holding");
        holding.release();
        new CountDownLatch(1).await();
        return ExitCode.DONE;
    }

    private ExitCode detached(Session session, List<String> words) throws InterruptedException {
        session.detach();
        session.out().println("detached");
        go.await();
        session.out().println("nobody hears this");
        detachedDone.countDown();
        return ExitCode.DONE;
    }

    /** Prints lines of 64 bytes until cancelled; counts the bytes that the door took. */
    private ExitCode flood(Session session, List<String> words) throws InterruptedException {
        byte[] line = ("x".repeat(63) + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        while (!Thread.interrupted()) {
            session.out().write(line, 0, line.length);
            printed.addAndGet(line.length);
        }
        throw new InterruptedException();
    }

    /** Prints the size of the window now and after each change, until it is 1 by 1. */
    private ExitCode windows(Session session, List<String> words) throws InterruptedException, IOException {
        CallerTerminal terminal = session.terminal().orElseThrow();
        Semaphore changed = new Semaphore(0);
        AutoCloseable listening = terminal.onResize(changed::release);
        String size;
        do {
            size = terminal.rows() + "x" + terminal.columns();
            session.out().println("window " + size);
            if (!size.equals("1x1")) {
                changed.acquire();
            }
        } while (!size.equals("1x1"));
        try {
            listening.close();
        } catch (Exception e) {
            throw new IOException(e);
        }
        return ExitCode.DONE;
    }

    /** Reads keys raw, prints their numbers, until {@code q}. */
    private ExitCode keys(Session session, List<String> words) throws IOException {
        session.terminal().orElseThrow().raw(true);
        session.out().println("ready");
        for (int c = session.in().read(); c >= 0 && c != 'q'; c = session.in().read()) {
            session.out().println("key " + c);
        }
        return ExitCode.DONE;
    }

    private ExitCode who(Session session, List<String> words) {
        Caller caller = session.caller();
        session.out()
                .println("name=" + caller.name() + " role=" + caller.role() + " door=" + caller.door() + " origin="
                        + caller.origin());
        session.out().println("directory=" + session.workingDirectory());
        session.out()
                .println("terminal="
                        + session.terminal()
                                .map(t -> t.type() + " colour=" + t.colour())
                                .orElse("none") + " err="
                        + session.errIsTerminal());
        return ExitCode.DONE;
    }

    boolean awaitDetached(long seconds) throws InterruptedException {
        return detachedDone.await(seconds, TimeUnit.SECONDS);
    }
}
