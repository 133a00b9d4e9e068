// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import java.util.List;
import java.util.SortedMap;
import org.osgi.annotation.versioning.ProviderType;

/** The one engine behind every door: finds the command, checks role and arguments, runs it, writes the audit log. */
@ProviderType
public interface CommandRunner {
    /**
     * Runs the command that the words call, on the calling thread, and prints its output and errors to the session.
     * Interrupting the thread cancels it.
     *
     * @param session the caller, his streams and terminal
     * @param words the words as typed, options among them
     * @return how it ended; errors have been printed
     */
    ExitCode run(Session session, List<String> words);

    /**
     * What could stand at the end of the words: candidates for the last, perhaps empty, word. Commands that the caller's role
     * may not run are left out.
     */
    List<Candidate> complete(Caller caller, List<String> words);

    /** The declarations of all commands there are now, by name. */
    SortedMap<String, CommandSpec> commands();

    /**
     * A completion.
     *
     * @param value the whole word that would stand there
     * @param help one line, may be empty
     * @param complete whether a space follows (else the word goes on: {@code --kernel=})
     */
    record Candidate(String value, String help, boolean complete) {}
}
