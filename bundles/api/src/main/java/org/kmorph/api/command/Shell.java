// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The interactive shell, for doors whose caller has a terminal, and the scripting language of admins. Admins get Gogo with
 * the commands in scope {@code kmorph:}; viewers and operators get the commands alone, with the same editing and completion.
 */
@ProviderType
public interface Shell {
    /**
     * Reads lines from the session's terminal until {@code exit} or end of file.
     *
     * @return how the last command ended
     */
    ExitCode interactive(Session session);

    /**
     * Runs a script: for admins in the Gogo language, for others one command a line.
     *
     * @param name what error messages call the script
     * @return how its last command ended, or the first failure of a script that does not handle it
     */
    ExitCode script(Session session, String name, String text);
}
