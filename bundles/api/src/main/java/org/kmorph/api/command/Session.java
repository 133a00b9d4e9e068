// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What a door gives the commands of one caller: who he is and his streams. Lives as long as one client call, or one shell.
 */
@ProviderType
public interface Session {
    Caller caller();

    /** The caller's standard input; end of file at once when there is none. */
    InputStream in();

    /** Data goes here. UTF-8. Blocks while the caller does not read. */
    PrintStream out();

    /** Messages and progress go here. UTF-8. */
    PrintStream err();

    /** The caller's terminal; empty when standard output is none. */
    Optional<CallerTerminal> terminal();

    /** Whether standard error is a terminal, so that progress may be drawn on it. */
    boolean errIsTerminal();

    /** The directory that relative paths of this caller are relative to. */
    Path workingDirectory();

    /**
     * From now on the running command survives the caller's leaving; what it prints after that is dropped.
     */
    void detach();
}
