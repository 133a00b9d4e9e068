// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One call of a command: the session it was called in, and the values of its arguments by their declared names, checked
 * against their declared types. Asking for a name or a type that was not declared is a programming error and throws
 * {@link IllegalArgumentException}.
 */
@ProviderType
public interface CommandContext extends Session {
    /** Whether a flag was given, or a {@link ValueType#BOOLEAN} is true. */
    boolean flag(String name);

    /** The value of a required argument, or of one with a default. */
    String text(String name);

    /** The value as written, if there is one. */
    Optional<String> optionalText(String name);

    /** All values of a repeatable argument, in order. */
    List<String> texts(String name);

    Optional<Long> integer(String name);

    Optional<Duration> duration(String name);

    Optional<Instant> instant(String name);

    /** In bytes. */
    Optional<Long> bytes(String name);

    /** Absolute and normalised. */
    Optional<Path> path(String name);

    /** Absolute and normalised, all values of a repeatable argument. */
    List<Path> paths(String name);

    /** Prints data in the format that the caller chose. May be called again: each call is one document of the format. */
    void print(Output output);

    /** Begins a progress display; drawn only where standard error is a terminal. */
    Progress progress(String what);
}
