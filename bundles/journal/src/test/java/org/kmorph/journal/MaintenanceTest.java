// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.kmorph.journal.Journals.entry;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.Query;

class MaintenanceTest {
    private static final int KEPT = 100;
    private static final Retention LITTLE = new Retention(Duration.ofDays(1), Map.of(), KEPT, 64 << 20);

    @TempDir
    Path directory;

    @Test
    void manyAppendsSetCompactionOff() throws JournalException {
        try (SqliteJournal journal = Journals.open(directory, LITTLE)) {
            Maintenance maintenance = new Maintenance(journal, true);
            maintenance.start();
            for (int i = 0; i < Maintenance.APPENDS_BETWEEN; i++) {
                assertThat(journal.read(Query.all())).hasSize(i);
                journal.append(entry("a", "k", "1"));
                maintenance.appended();
            }
            await().untilAsserted(() -> assertThat(journal.read(Query.all())).hasSize(KEPT + 1));
            maintenance.close();
        }
    }

    @Test
    void anotherRetentionIsInForceAtOnce() throws JournalException {
        try (SqliteJournal journal = Journals.open(directory)) {
            for (int i = 0; i < KEPT + 50; i++) {
                journal.append(entry("a", "k", "1"));
            }
            Maintenance maintenance = new Maintenance(journal, false);
            maintenance.start();
            journal.retain(LITTLE);
            maintenance.wake();
            await().untilAsserted(() -> assertThat(journal.read(Query.all())).hasSize(KEPT + 1));
            maintenance.close();
        }
    }

    @Test
    void itsThreadEndsWithIt() throws JournalException {
        try (SqliteJournal journal = Journals.open(directory)) {
            Maintenance maintenance = new Maintenance(journal, true);
            maintenance.start();
            maintenance.close();
            assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(t -> t.getName().equals("kmorph-journal"));
        }
    }
}
