// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The configuration files of {@code etc/} and what the running daemon has taken from them. Thread-safe. */
@ProviderType
public interface Configurations {
    /**
     * Reads all files again and applies what changed. A file with a value that its component does not accept is refused whole:
     * what was in force stays in force. Returns when the components have taken up what changed, or after ten seconds, which the
     * detail then says. Not to be called while a configuration is being applied.
     *
     * @return one line of what happened for each file that was changed, added, removed or refused; empty when nothing changed
     */
    List<Change> reload();

    /**
     * What became of one file.
     *
     * @param file its name in {@code etc/}
     * @param outcome what was done
     * @param detail for people: which keys changed from what to what, or which value was refused and what was expected;
     *     values of keys that hold secrets are not shown
     */
    record Change(String file, Outcome outcome, String detail) {}

    /** What was done with a file. */
    enum Outcome {
        APPLIED,
        REMOVED,
        /** Only a restart applies it. */
        NEEDS_RESTART,
        REFUSED
    }
}
