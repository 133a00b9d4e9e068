// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.kmorph.journal.Journals.entry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Makes a journal, appends to it, and after each append says so by a write to another file, for a tracer to see. */
final class SyncVictim {
    static final String ACKNOWLEDGEMENTS = "acknowledgements";
    static final int APPENDS = 5;

    private SyncVictim() {}

    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        try (SqliteJournal journal = Journals.open(directory.resolve("journal"))) {
            for (int i = 0; i < APPENDS; i++) {
                journal.append(entry("a", "k" + i, "value"));
                Files.writeString(
                        directory.resolve(ACKNOWLEDGEMENTS), "x", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            }
        }
    }
}
