// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.Query;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * Appends pairs of records with one rising number for as long as it lives, and acknowledges each on its standard output,
 * while another thread compacts all the time. Says {@link #READY} when the JVM and SQLite are up, and begins with the first
 * byte that it can read.
 */
final class KillVictim {
    static final int KEYS = 7;
    static final long READY = 0;
    static final Retention LITTLE = new Retention(Duration.ofDays(1), Map.of(), 50, 64 << 20);

    private KillVictim() {}

    public static void main(String[] arguments) throws IOException, SQLException {
        DataOutputStream acknowledgements = new DataOutputStream(new FileOutputStream(FileDescriptor.out));
        try (Connection warm = new JDBC4Connection("jdbc:sqlite::memory:", ":memory:", new Properties())) {
            Database.execute(warm, "SELECT 1");
        }
        acknowledgements.writeLong(READY);
        if (System.in.read() < 0) {
            return;
        }
        SqliteJournal journal = Journals.open(Path.of(arguments[0]), LITTLE);
        Thread compaction = new Thread(() -> {
            try {
                while (true) {
                    journal.compact();
                }
            } catch (JournalException e) {
                e.printStackTrace();
                System.exit(1);
            }
        });
        compaction.setDaemon(true);
        compaction.start();
        long first = newest(journal) + 1;
        for (long n = first; n < first + Integer.parseInt(arguments[1]); n++) {
            journal.append(List.of(record("a", n), record("b", n)));
            acknowledgements.writeLong(n);
        }
    }

    /** The number of the newest pair, or 0. */
    static long newest(SqliteJournal journal) throws JournalException {
        return journal.read(Query.all().newest(1)).stream()
                .mapToLong(r -> Long.parseLong(r.entry().fields().get("n")))
                .sum();
    }

    private static Entry record(String kind, long n) {
        // some are long enough to overflow a page
        String padding = "x".repeat((int) (n % 10 == 0 ? 9_000 : n % 300));
        return Entry.of(kind, "k" + n % KEYS, Map.of("n", Long.toString(n), "padding", padding));
    }
}
