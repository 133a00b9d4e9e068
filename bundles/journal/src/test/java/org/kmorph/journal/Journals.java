// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalException;

/** What the tests of the journal share. */
final class Journals {
    /** Keeps everything. */
    static final Retention ALL = new Retention(Duration.ofDays(36_500), Map.of(), Long.MAX_VALUE, 1L << 30);

    private Journals() {}

    static SqliteJournal open(Path directory) throws JournalException {
        return open(directory, ALL);
    }

    static SqliteJournal open(Path directory, Retention retention) throws JournalException {
        return new SqliteJournal(directory, retention, Instant::now, Duration.ofMinutes(1));
    }

    static Entry entry(String kind, String key, String value) {
        return Entry.of(kind, key, Map.of("value", value));
    }

    static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }
}
