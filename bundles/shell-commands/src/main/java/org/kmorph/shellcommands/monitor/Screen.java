// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jline.terminal.Attributes;
import org.jline.terminal.Size;
import org.jline.terminal.impl.LineDisciplineTerminal;
import org.jline.utils.AttributedString;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;
import org.kmorph.api.command.CallerTerminal;

/**
 * The caller's terminal as a screen that is drawn as a whole: what has not changed is not sent again. It is on the alternate screen as
 * long as this is open, so that afterwards everything is as it was before. Not thread-safe, but for the caller's resizing.
 */
final class Screen implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private final CallerTerminal caller;
    private final OutputStream out;
    private final LineDisciplineTerminal terminal;
    private final Display display;
    private final AutoCloseable resizes;
    private volatile boolean resized = true;
    private Size size = new Size(1, 1);

    Screen(CallerTerminal caller, PrintStream out) throws IOException {
        this.caller = caller;
        this.out = new BufferedOutputStream(out, BUFFER);
        terminal = new LineDisciplineTerminal("monitor", caller.type(), this.out, StandardCharsets.UTF_8);
        Attributes attributes = terminal.getAttributes();
        // the caller's own terminal, or his door, does that
        attributes.setOutputFlag(Attributes.OutputFlag.ONLCR, false);
        terminal.setAttributes(attributes);
        display = new Display(terminal, true);
        caller.raw(true);
        resizes = caller.onResize(() -> resized = true);
        terminal.puts(Capability.enter_ca_mode);
        terminal.puts(Capability.cursor_invisible);
    }

    /** Whether a terminal of this type can be drawn on. */
    static boolean canDrawOn(CallerTerminal caller) throws IOException {
        try (LineDisciplineTerminal probe = new LineDisciplineTerminal(
                "probe", caller.type(), PrintStream.nullOutputStream(), StandardCharsets.UTF_8)) {
            return probe.getStringCapability(Capability.cursor_address) != null;
        }
    }

    /** The size for the next drawing. */
    Size size() {
        if (resized) {
            resized = false; // before the size is read: one that comes meanwhile is seen the next time
            size = new Size(caller.columns(), caller.rows());
            terminal.setSize(size);
            display.resize(size.getRows(), size.getColumns());
            display.clear(); // nobody knows what the terminal made of what was there
        }
        return size;
    }

    void draw(List<AttributedString> lines) throws IOException {
        display.update(lines, 0);
        out.flush(); // jline's terminal hands on what is written, and not that it is to be flushed
    }

    @Override
    public void close() throws IOException {
        try {
            resizes.close();
        } catch (Exception e) { // AutoCloseable declares no narrower one
            throw new IOException(e);
        } finally {
            terminal.puts(Capability.cursor_normal);
            terminal.puts(Capability.exit_ca_mode);
            terminal.flush();
            out.flush();
            caller.raw(false);
            terminal.close();
        }
    }
}
