// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import org.kmorph.api.command.ExitCode;

/** Runs what a caller types, in the language of his role. */
interface Interpreter extends AutoCloseable {
    /**
     * Runs a text and prints its output and errors.
     *
     * @param name what messages call it
     * @throws InterruptedException when it was cancelled
     */
    ExitCode run(String name, String text) throws InterruptedException;

    /** Cancels what runs now, from another thread. */
    void interrupt();

    @Override
    void close();
}
