// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Session;

/** A caller's session with other streams: those of a shell's terminal, or of one command in a pipe. */
record ShellSession(Session outer, InputStream in, PrintStream out, PrintStream err, Optional<CallerTerminal> terminal)
        implements Session {

    @Override
    public Caller caller() {
        return outer.caller();
    }

    @Override
    public boolean errIsTerminal() {
        return outer.errIsTerminal();
    }

    @Override
    public Path workingDirectory() {
        return outer.workingDirectory();
    }

    @Override
    public void detach() {
        outer.detach();
    }
}
