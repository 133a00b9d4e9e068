// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.ExitCode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One command of one client, on a thread of its own. The I/O thread tells it what comes from the client; none of those
 * methods waits.
 */
final class Call implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Call.class);

    /** How long a caller waits for an engine that is just being replaced. */
    private static final Duration ENGINE_WAIT = Duration.ofSeconds(5);

    private final StartRequest request;
    private final PeerCheck peer;
    private final Runners runners;
    private final Outbox outbox;
    private final StdinPipe stdin;
    private final RemoteTerminal terminal;
    private final Runnable onEnd;
    private Optional<Thread> thread = Optional.empty();
    private boolean engaged;
    private boolean cancelled;
    private boolean detached;
    private boolean orphaned;

    /** Establishes who the peer is. */
    @FunctionalInterface
    interface PeerCheck {
        Caller caller() throws Refusal;
    }

    /**
     * @param threads where listeners to window changes run
     * @param onEnd called when the thread is done with this call
     */
    Call(StartRequest request, PeerCheck peer, Runners runners, Outbox outbox, Executor threads, Runnable onEnd) {
        this.request = request;
        this.peer = peer;
        this.runners = runners;
        this.outbox = outbox;
        this.stdin = new StdinPipe(bytes -> outbox.frame(Frame.credit(bytes)));
        this.terminal = new RemoteTerminal(request, outbox, threads);
        this.onEnd = onEnd;
    }

    @Override
    public void run() {
        begin();
        Frame last;
        try {
            last = Frame.exit(execute());
        } catch (Refusal e) {
            last = Frame.error(e.code(), e.getMessage());
        } catch (HandedOver e) {
            last = Frame.again();
        } catch (RuntimeException | Error e) {
            // the engine prints the errors of commands itself; what comes here is a defect, of it or of a bundle
            LOG.error("command {} failed", request.words(), e);
            last = Frame.error(ExitCode.FAILED, "internal error: " + e + "; the log of the daemon has the whole of it");
        }
        end();
        stdin.end();
        terminal.restore();
        outbox.last(last);
        onEnd.run();
    }

    private ExitCode execute() throws Refusal, HandedOver {
        Caller caller = peer.caller();
        CallSession session = new CallSession(caller, request, stdin, outbox, terminal, this::detach);
        try {
            return runners.call(ENGINE_WAIT, engine -> {
                        engaged();
                        return engine.run(session, request.words());
                    })
                    .orElseThrow(
                            () -> new Refusal(
                                    ExitCode.DAEMON_UNREACHABLE,
                                    "the daemon has no commands now: bundle org.kmorph.shell-commands is not active; see its log"));
        } catch (InterruptedException e) {
            throw new Refusal(ExitCode.FAILED, "cancelled before the command began");
        }
    }

    /** Asks the command to stop, which it does in its own time. */
    synchronized void cancel() {
        cancelled = true;
        thread.ifPresent(Thread::interrupt);
    }

    /** The client left: nobody reads or writes any longer, and what it started ends unless it was detached. */
    synchronized void clientGone() {
        orphaned = true;
        outbox.abandon();
        stdin.end();
        if (!detached) {
            cancel();
        }
    }

    /** The daemon ends: what was detached gets the time there is. */
    synchronized void daemonEnds() {
        if (!detached) {
            cancel();
        }
    }

    /** The engine ends, and what it runs with it. A call that waits for one waits on. */
    synchronized void engineEnds() {
        if (engaged) {
            daemonEnds();
        }
    }

    private synchronized void engaged() {
        engaged = true;
    }

    /** Whether it runs on without a client. */
    synchronized boolean orphaned() {
        return orphaned;
    }

    /** The words, for messages. */
    String describe() {
        return String.join(" ", request.words());
    }

    /** The command's standard input. */
    StdinPipe stdin() {
        return stdin;
    }

    /** The window of the client changed. */
    void resized(WindowSize size) {
        terminal.resized(size);
    }

    private synchronized void detach() {
        detached = true;
    }

    private synchronized void begin() {
        thread = Optional.of(Thread.currentThread());
        if (cancelled) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void end() {
        thread = Optional.empty();
        // the thread goes on to other calls, the cancelling was of this one
        Thread.interrupted();
    }
}
