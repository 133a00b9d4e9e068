// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/**
 * A command that could not do what was asked. The message is for a person: it names the thing, what was expected and what to
 * do, and is printed as it stands, without a stack trace.
 */
public final class CommandException extends Exception {
    private static final long serialVersionUID = 1L;

    private final ExitCode code;

    public CommandException(ExitCode code, String message) {
        super(message);
        this.code = code;
    }

    public CommandException(ExitCode code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** How the command ends; never {@link ExitCode#DONE}. */
    public ExitCode code() {
        return code;
    }
}
