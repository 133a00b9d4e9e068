// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.kmorph.journal.Journals.entry;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** Fills the small file system of a journal and makes room again, twice; ends with 0 when all was as it should be. */
final class FullDiskVictim {
    private static final int MOST = 100_000;

    private FullDiskVictim() {}

    public static void main(String[] arguments) throws IOException {
        Path mount = Path.of(arguments[0]);
        Path ballast = mount.resolve("ballast");
        long written = 0;
        try (SqliteJournal journal = Journals.open(mount.resolve("journal"))) {
            for (int round = 0; round < 2; round++) {
                fill(ballast);
                JournalException full = null;
                for (int i = 0; full == null && i < MOST; i++) {
                    try {
                        journal.append(List.of(entry("a", "k", "1"), entry("a", "k", "2")));
                        written += 2;
                    } catch (JournalException e) {
                        full = e;
                    }
                }
                require(full != null, "an append fails on a full disk");
                String message = full.getMessage();
                require(message.contains(mount + "/journal/journal.db"), "the file is named: " + message);
                require(message.contains("the disk is full (") && message.contains(" KiB free)"), message);
                require(message.contains("Make room"), message);
                require(read(journal) == written, "all that was acknowledged is read while the disk is full");
                expectFailure(journal);

                Files.delete(ballast);
                journal.append(entry("a", "k", "3"));
                written++;
                require(read(journal) == written, "nothing that failed was written");
                journal.compact();
            }
        }
        try (SqliteJournal journal = Journals.open(mount.resolve("journal"))) {
            require(read(journal) == written, "all is there after opening again");
        }
    }

    private static void expectFailure(SqliteJournal journal) {
        try {
            journal.append(entry("a", "k", "x".repeat(60_000)));
        } catch (JournalException e) {
            return;
        }
        throw new IllegalStateException("a large entry went onto a full disk");
    }

    private static long read(SqliteJournal journal) throws JournalException {
        List<JournalRecord> records = journal.read(Query.all().limit(Query.MAX_LIMIT));
        return records.size();
    }

    /** Leaves no byte free. */
    private static void fill(Path ballast) throws IOException {
        try (OutputStream out = Files.newOutputStream(ballast)) {
            byte[] block = new byte[512];
            while (true) {
                out.write(block);
            }
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No space left")) {
                throw e;
            }
        }
    }

    private static void require(boolean condition, String what) {
        if (!condition) {
            throw new IllegalStateException("expected: " + what);
        }
    }
}
