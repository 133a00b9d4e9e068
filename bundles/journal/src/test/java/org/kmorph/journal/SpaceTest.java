// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kmorph.journal.Journals.entry;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** Compaction at work on a file: what goes, what stays, what the file shrinks to, how long appends wait. */
class SpaceTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path directory;

    private Instant now = START;

    @Test
    void oldHistoryGoesStateStaysAndTheFileShrinks() throws Exception {
        Retention week =
                new Retention(Duration.ofDays(7), Map.of("audit", Duration.ofDays(30)), Long.MAX_VALUE, 1 << 30);
        try (SqliteJournal journal = open(week)) {
            journal.append(entry("instance", "forgotten", "still there"));
            journal.append(entry("instance", "gone", "1").closing());
            journal.append(entry("audit", "root", "1"));
            fill(journal, 2_000, 5_000);
            journal.compact();
            Path file = directory.resolve(Database.FILE_NAME);
            assertThat(Files.size(file)).isGreaterThan(8 << 20);

            now = START.plus(Duration.ofDays(8));
            journal.append(entry("audit", "root", "2"));
            assertThat(journal.compact()).isEqualTo(2_000);

            assertThat(journal.read(Query.all().limit(10_000)))
                    .extracting(r -> r.entry().key())
                    .containsExactly("forgotten", "root", "filling", "root");
            assertThat(journal.latest("instance"))
                    .extracting(r -> r.entry().key())
                    .containsExactly("forgotten", "filling");
            assertThat(Files.size(file)).isLessThan(1 << 20);

            now = START.plus(Duration.ofDays(40));
            assertThat(journal.compact()).isEqualTo(1);
            assertThat(journal.latest("audit")).hasSize(1);
        }
    }

    @Test
    void historyIsKeptByCount() throws Exception {
        try (SqliteJournal journal = open(new Retention(Duration.ofDays(7), Map.of(), 300, 1 << 30))) {
            fill(journal, 1_000, 10);
            assertThat(journal.compact()).isEqualTo(699);
            List<JournalRecord> kept = journal.read(Query.all());
            assertThat(kept).hasSize(301);
            assertThat(kept.get(0).sequence()).isEqualTo(700);
        }
    }

    @Test
    void historyIsKeptBySize() throws Exception {
        try (SqliteJournal journal = open(new Retention(Duration.ofDays(7), Map.of(), Long.MAX_VALUE, 16 << 20))) {
            for (int i = 0; i < 10; i++) {
                fill(journal, 1_000, 4_000);
                journal.compact();
                assertThat(Files.size(directory.resolve(Database.FILE_NAME))).isLessThanOrEqualTo(12 << 20);
            }
            assertThat(journal.read(Query.all().newest(1_000))).hasSize(1_000);
        }
    }

    @Test
    void stateOverTheLimitIsAnErrorAndTheRestStaysReadable() throws Exception {
        try (SqliteJournal journal = open(new Retention(Duration.ofDays(7), Map.of(), 100, 8 << 20))) {
            int[] appended = {0};
            assertThatThrownBy(() -> {
                        while (true) {
                            journal.append(entry("a", "k" + appended[0], "x".repeat(20_000)));
                            appended[0]++;
                        }
                    })
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("limit of 8 MiB (size.mb in etc/org.kmorph.journal.cfg)");
            assertThat(journal.compact()).isZero();
            assertThat(journal.latest("a")).hasSize(appended[0]);

            journal.retain(new Retention(Duration.ofDays(7), Map.of(), 100, 16 << 20));
            journal.append(entry("a", "k", "more"));
        }
    }

    @Test
    void appendsGoOnWhileMuchIsCompacted() throws Exception {
        try (SqliteJournal journal = open(new Retention(Duration.ofDays(7), Map.of(), Long.MAX_VALUE, 1 << 30))) {
            fill(journal, 50_000, 200);
            now = START.plus(Duration.ofDays(8));
            AtomicBoolean compacted = new AtomicBoolean();
            List<Long> removed = new ArrayList<>();
            Thread compaction = new Thread(() -> {
                try {
                    removed.add(journal.compact());
                } catch (JournalException e) {
                    throw new IllegalStateException(e);
                } finally {
                    compacted.set(true);
                }
            });
            compaction.start();
            List<Long> latencies = new ArrayList<>();
            while (!compacted.get()) {
                long begin = System.nanoTime();
                journal.append(entry("b", "k", "1"));
                latencies.add(System.nanoTime() - begin);
            }
            compaction.join();
            assertThat(removed).containsExactly(49_999L);
            latencies.sort(null);
            // an append gets its turn after at most one step: of all the 250 steps it must see most
            assertThat(latencies.size()).isGreaterThan(100);
            assertThat(Duration.ofNanos(latencies.get(latencies.size() * 99 / 100)))
                    .isLessThan(Duration.ofMillis(500));
        }
    }

    private SqliteJournal open(Retention retention) throws JournalException {
        return new SqliteJournal(directory, retention, () -> now, Duration.ofMinutes(1));
    }

    /** So many records of one key, each about so many bytes. */
    private static void fill(SqliteJournal journal, int records, int bytes) throws JournalException {
        List<Entry> entries = new ArrayList<>();
        for (int i = 1; i <= records; i++) {
            entries.add(entry("instance", "filling", "x".repeat(bytes)));
            if (entries.size() == 500 || i == records) {
                journal.append(entries);
                entries.clear();
            }
        }
    }
}
