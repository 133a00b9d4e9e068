// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jline.terminal.Attributes;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.ExternalTerminal;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Session;

/**
 * A caller's terminal as jline sees it. The caller's own is in raw mode as long as this is open: every key comes here, and jline does
 * what a terminal driver does: edits lines, makes Ctrl-C an interrupt.
 */
final class ShellTerminal implements AutoCloseable {
    private final Session session;
    private final CallerTerminal caller;
    private final ExternalTerminal terminal;
    private final AutoCloseable resizes;

    ShellTerminal(Session session, CallerTerminal caller) throws IOException {
        this.session = session;
        this.caller = caller;
        terminal = new ExternalTerminal("kmorph", caller.type(), session.in(), session.out(), StandardCharsets.UTF_8);
        Attributes attributes = terminal.getAttributes();
        // the caller's own terminal, or his door, does that
        attributes.setOutputFlag(Attributes.OutputFlag.ONLCR, false);
        terminal.setAttributes(attributes);
        resize();
        resizes = caller.onResize(() -> {
            resize();
            terminal.raise(Terminal.Signal.WINCH);
        });
        caller.raw(true);
    }

    private void resize() {
        terminal.setSize(new Size(caller.columns(), caller.rows()));
    }

    Terminal terminal() {
        return terminal;
    }

    /** The session as the commands typed into this terminal see it. */
    Session inner() {
        PrintStream out = new PrintStream(terminal.output(), true, StandardCharsets.UTF_8);
        return new ShellSession(session, terminal.input(), out, out, Optional.of(new Inner()));
    }

    @Override
    public void close() throws IOException {
        caller.raw(false);
        try {
            resizes.close();
        } catch (Exception e) { // AutoCloseable declares no narrower one
            throw new IOException(e);
        } finally {
            terminal.close();
        }
    }

    /** What a command sees of the terminal: raw mode is jline's to switch, the rest is the caller's. */
    private final class Inner implements CallerTerminal {
        private final Attributes line = terminal.getAttributes();

        @Override
        public String type() {
            return caller.type();
        }

        @Override
        public int columns() {
            return caller.columns();
        }

        @Override
        public int rows() {
            return caller.rows();
        }

        @Override
        public boolean colour() {
            return caller.colour();
        }

        @Override
        public AutoCloseable onResize(Runnable listener) {
            return caller.onResize(listener);
        }

        @Override
        public void raw(boolean raw) {
            if (raw) {
                terminal.enterRawMode();
                Attributes attributes = terminal.getAttributes();
                attributes.setLocalFlag(
                        Attributes.LocalFlag.ISIG, false); // Ctrl-C is a key too: jline leaves it a signal
                terminal.setAttributes(attributes);
            } else {
                terminal.setAttributes(line);
            }
        }
    }
}
