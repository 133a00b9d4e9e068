// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Session;

/**
 * One channel of a client, as commands see it.
 *
 * @param onDetach called when the command is to survive the client
 */
record CallerSession(
        Caller caller,
        InputStream in,
        PrintStream out,
        PrintStream err,
        Optional<CallerTerminal> terminal,
        Runnable onDetach)
        implements Session {

    @Override
    public boolean errIsTerminal() {
        return terminal.isPresent();
    }

    /** A caller from elsewhere has no directory here; relative paths are relative to the root. */
    @Override
    public Path workingDirectory() {
        return Path.of("/");
    }

    @Override
    public void detach() {
        onDetach.run();
    }
}
