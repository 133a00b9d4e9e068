// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.Objects;
import java.util.Optional;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.Signal;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.apache.sshd.server.session.ServerSession;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Session;
import org.kmorph.api.daemon.DaemonThreads;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session channel (RFC 4254, 6): work on a thread of its own, between the channel's streams. The setters are called by sshd
 * before {@link #start}; what they set is not changed after that.
 */
final class Channel implements Command {
    private static final Logger LOG = LoggerFactory.getLogger(Channel.class);

    /** Whose life a channel is part of. */
    interface Keeper {
        /** Who is at the other end, by the keys as they are now; empty when he may do nothing any more. */
        Optional<Caller> caller(ChannelSession channel);

        void opened(Channel channel);

        void closed(Channel channel);
    }

    private final Keeper keeper;
    private final Work work;
    private final boolean conversation;
    private InputStream in = InputStream.nullInputStream();
    private OutputStream out = OutputStream.nullOutputStream();
    private OutputStream err = OutputStream.nullOutputStream();
    private Optional<ExitCallback> exit = Optional.empty();
    private volatile Optional<ServerSession> connection = Optional.empty();
    private volatile Optional<Thread> worker = Optional.empty();
    private volatile Optional<PrintStream> messages = Optional.empty();
    private volatile Optional<KeyInput> keys = Optional.empty();
    private volatile boolean detached;

    /** @param conversation whether a person sits there, between one command and the next */
    Channel(Keeper keeper, boolean conversation, Work work) {
        this.keeper = keeper;
        this.conversation = conversation;
        this.work = work;
    }

    @Override
    public void setInputStream(InputStream stream) {
        in = stream;
    }

    @Override
    public void setOutputStream(OutputStream stream) {
        out = stream;
    }

    @Override
    public void setErrorStream(OutputStream stream) {
        err = stream;
    }

    @Override
    public void setExitCallback(ExitCallback callback) {
        exit = Optional.of(callback);
    }

    @Override
    public void start(ChannelSession channel, Environment environment) throws IOException {
        Optional<Caller> caller = keeper.caller(channel);
        if (caller.isEmpty()) {
            end(ExitCode.DENIED, "your key is not authorised any more, or the door is closing");
            return;
        }
        environment.addSignalListener((source, signal) -> cancel(), Signal.INT, Signal.QUIT, Signal.TERM, Signal.HUP);
        boolean terminal = environment.getEnv().containsKey(Environment.ENV_TERM);
        Session session = terminal ? onTerminal(caller.get(), environment) : onStreams(caller.get());
        connection = Optional.of(channel.getServerSession());
        messages = Optional.of(session.err());
        Thread thread = new DaemonThreads("ssh " + caller.get().name()).newThread(() -> run(session));
        worker = Optional.of(thread);
        keeper.opened(this);
        thread.start();
    }

    /** The client has gone, or the work has ended. */
    @Override
    public void destroy(ChannelSession channel) {
        if (!detached) {
            cancel();
        }
    }

    boolean belongsTo(org.apache.sshd.common.session.Session client) {
        return connection.filter(own -> own == client).isPresent();
    }

    boolean conversation() {
        return conversation;
    }

    /** Whether the door should wait for the work to end before it goes; not for work that survives it, or that asks. */
    boolean holdsTheDoor() {
        return !detached
                && worker.filter(thread -> thread != Thread.currentThread()).isPresent();
    }

    /** Tells the person or program at the other end. */
    void say(String message) {
        messages.ifPresent(stream -> stream.println("\nkmorph: " + message));
    }

    private void cancel() {
        worker.ifPresent(Thread::interrupt);
    }

    private void run(Session session) {
        ExitCode code = ExitCode.FAILED;
        try {
            code = work.run(session);
        } catch (InterruptedException e) {
            session.err().println("cancelled");
        } catch (RuntimeException e) {
            LOG.error("SSH channel of {}", session.caller(), e);
            session.err().println("internal error, see the daemon's log: " + e);
        } finally {
            // a cancelled thread still has to say its last words
            Thread.interrupted();
            keys.ifPresent(KeyInput::end);
            session.out().flush();
            session.err().flush();
            end(code, "");
            keeper.closed(this);
        }
    }

    private void end(ExitCode code, String message) {
        if (!message.isEmpty()) {
            print(err).println(message);
        }
        int status = code.status();
        exit.ifPresent(callback -> callback.onExit(status));
    }

    private Session onStreams(Caller caller) {
        return new CallerSession(caller, in, print(out), print(err), Optional.empty(), this::detach);
    }

    private Session onTerminal(Caller caller, Environment environment) {
        // a terminal has one screen: messages appear among the output
        PrintStream screen = print(new TerminalOutput(out));
        KeyInput typed = new KeyInput();
        keys = Optional.of(typed);
        LineDiscipline discipline = new LineDiscipline(typed, screen, this::cancel);
        CallerTerminal terminal = new ChannelTerminal(environment, discipline);
        new DaemonThreads("ssh keys " + caller.name())
                .newThread(() -> pump(discipline, typed))
                .start();
        return new CallerSession(caller, typed, screen, screen, Optional.of(terminal), this::detach);
    }

    /** Reads all that the client types even while the command does not, or Ctrl-C would not be seen. */
    private void pump(LineDiscipline discipline, KeyInput typed) {
        byte[] buffer = new byte[4096];
        try {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                discipline.type(buffer, count);
            }
        } catch (IOException e) {
            LOG.debug("the SSH client has gone", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            typed.end();
        }
    }

    private void detach() {
        detached = true;
    }

    private static PrintStream print(OutputStream stream) {
        return new PrintStream(Objects.requireNonNull(stream), true, UTF_8);
    }
}
