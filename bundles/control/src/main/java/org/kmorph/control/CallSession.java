// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Session;

/** One call of a client, as its command sees it. */
final class CallSession implements Session {
    private final Caller caller;
    private final StartRequest request;
    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;
    private final RemoteTerminal terminal;
    private final Runnable onDetach;

    CallSession(
            Caller caller,
            StartRequest request,
            StdinPipe in,
            Outbox outbox,
            RemoteTerminal terminal,
            Runnable onDetach) {
        this.caller = caller;
        this.request = request;
        this.in = in;
        this.out = stream(outbox, FrameType.STDOUT);
        this.err = stream(outbox, FrameType.STDERR);
        this.terminal = terminal;
        this.onDetach = onDetach;
    }

    private static PrintStream stream(Outbox outbox, FrameType type) {
        // PrintStream hands on each print at once; the outbox joins what the client has not been sent yet
        return new PrintStream(new FrameStream(outbox, type), false, StandardCharsets.UTF_8);
    }

    @Override
    public Caller caller() {
        return caller;
    }

    @Override
    public InputStream in() {
        return in;
    }

    @Override
    public PrintStream out() {
        return out;
    }

    @Override
    public PrintStream err() {
        return err;
    }

    @Override
    public Optional<CallerTerminal> terminal() {
        return request.stdoutIsTerminal() ? Optional.of(terminal) : Optional.empty();
    }

    @Override
    public boolean errIsTerminal() {
        return request.stderrIsTerminal();
    }

    @Override
    public Path workingDirectory() {
        return request.workingDirectory();
    }

    @Override
    public void detach() {
        onDetach.run();
    }

    private static final class FrameStream extends OutputStream {
        private final Outbox outbox;
        private final FrameType type;

        FrameStream(Outbox outbox, FrameType type) {
            this.outbox = outbox;
            this.type = type;
        }

        @Override
        public void write(int b) throws IOException {
            outbox.data(type, new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            outbox.data(type, from, offset, length);
        }
    }
}
