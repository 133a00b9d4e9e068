// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Door;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.Session;

/** A caller without a terminal, whose output is kept. */
final class TestSession implements Session {
    private final Caller caller;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final PrintStream outStream = new PrintStream(out, true, StandardCharsets.UTF_8);
    private final PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8);

    TestSession(Role role) {
        caller = new Caller("alice", role, Door.SOCKET, "uid=1000");
    }

    String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String complaints() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Override
    public Caller caller() {
        return caller;
    }

    @Override
    public InputStream in() {
        return InputStream.nullInputStream();
    }

    @Override
    public PrintStream out() {
        return outStream;
    }

    @Override
    public PrintStream err() {
        return errStream;
    }

    @Override
    public Optional<CallerTerminal> terminal() {
        return Optional.empty();
    }

    @Override
    public boolean errIsTerminal() {
        return false;
    }

    @Override
    public Path workingDirectory() {
        return Path.of("/home/alice");
    }

    @Override
    public void detach() {
        // nobody leaves
    }
}
