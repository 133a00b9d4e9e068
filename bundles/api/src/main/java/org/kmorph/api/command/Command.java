// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import java.io.IOException;
import java.util.List;

/**
 * One command, reachable through every door. Register it as a service (a declarative-services component will do): from then
 * on it has help, completion, a role check, an audit trail and all output formats, in the shell, over SSH and for kmorphctl.
 *
 * <p>A command is called from many threads at once and keeps nothing between calls.
 */
public interface Command {
    /** The declaration. Always the same answer. */
    CommandSpec spec();

    /**
     * Does the work. Cancelling (Ctrl-C, a closed client, {@code --timeout}) interrupts the thread; the command then leaves
     * things in a state that it can name, says so on {@link CommandContext#err()}, and lets the exception through.
     *
     * @return how it ended
     * @throws CommandException when it cannot be done; the message is printed as it stands
     * @throws IOException when the caller's streams, or files named by the caller, failed
     * @throws InterruptedException when it was cancelled
     */
    ExitCode run(CommandContext context) throws CommandException, IOException, InterruptedException;

    /**
     * Values that could stand for an argument at this moment, for completion: instance names, say. Choices and paths are
     * completed without it. Answers within a few milliseconds.
     *
     * @param argument the name of the parameter or option, as declared
     * @param prefix what was typed of the value so far
     */
    default List<String> complete(String argument, String prefix) {
        return List.of();
    }
}
