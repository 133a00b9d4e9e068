// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.shell;

import org.kmorph.api.command.ExitCode;

/** A command in a script did not end with DONE; its message has been printed. Scripts may catch it with {@code try}. */
public final class CommandFailed extends Exception {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;

    CommandFailed(String command, ExitCode code) {
        super(command + " ended with exit code " + code.status() + " (" + code + ")");
        this.code = code;
    }

    public ExitCode code() {
        return code;
    }
}
