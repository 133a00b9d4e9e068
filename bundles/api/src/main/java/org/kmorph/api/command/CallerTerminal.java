// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import org.osgi.annotation.versioning.ProviderType;

/** A caller's terminal, wherever it is. Thread-safe. */
@ProviderType
public interface CallerTerminal {
    /** The terminal's type as terminfo knows it, {@code xterm-256color}. */
    String type();

    /** The width now, in columns; at least 1. */
    int columns();

    /** The height now, in rows; at least 1. */
    int rows();

    /** Whether colour is welcome: false when the caller has set {@code NO_COLOR}, or has a terminal without it. */
    boolean colour();

    /** Called on each change of size until {@code close} of what is returned; on a thread of the door's. */
    AutoCloseable onResize(Runnable listener);

    /**
     * Switches between line mode (the terminal edits lines, Ctrl-C cancels) and raw mode (each key arrives as it is typed).
     * The door puts back line mode when the command ends.
     */
    void raw(boolean raw);
}
