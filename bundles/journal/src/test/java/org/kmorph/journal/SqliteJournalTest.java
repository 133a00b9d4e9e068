// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kmorph.journal.Journals.entry;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

class SqliteJournalTest {
    @TempDir
    Path directory;

    private Instant now = Instant.parse("2026-01-01T00:00:00.123456789Z");
    private SqliteJournal journal;

    @BeforeEach
    void open() throws JournalException {
        journal = new SqliteJournal(directory, Journals.ALL, () -> now, Duration.ofMinutes(1));
    }

    @AfterEach
    void close() {
        journal.close();
    }

    @Test
    void recordsComeBackAsWritten() throws JournalException {
        Entry entry = new Entry(
                "instance",
                "web",
                Optional.of("web"),
                false,
                Map.of("a=b", "x=y\nz\\", "", "", "line\n", "\\n", "nul\0", "\0", "ä\ud83d\ude00", "€"));
        long sequence = journal.append(entry);
        assertThat(journal.read(Query.all())).containsExactly(new JournalRecord(sequence, now, entry));
    }

    @Test
    void recordsOutliveTheObject() throws JournalException {
        long sequence = journal.append(entry("instance", "web", "1"));
        journal.close();
        open();
        assertThat(values(Query.all())).containsExactly("1");
        assertThat(journal.append(entry("instance", "web", "2"))).isGreaterThan(sequence);
    }

    @Test
    void readsByKindKeyInstanceTimeAndSequence() throws JournalException {
        journal.append(entry("instance", "web", "1").about("web"));
        now = now.plusSeconds(1);
        long second = journal.append(entry("recovery", "web", "2").about("db"));
        now = now.plusSeconds(1);
        journal.append(List.of(entry("recovery", "r1", "3").about("web"), entry("audit", "root", "4")));

        assertThat(values(Query.all())).containsExactly("1", "2", "3", "4");
        assertThat(values(Query.all().kind("recovery"))).containsExactly("2", "3");
        assertThat(values(Query.all().key("web"))).containsExactly("1", "2");
        assertThat(values(Query.all().instance("web"))).containsExactly("1", "3");
        assertThat(values(Query.all().kind("recovery").instance("web"))).containsExactly("3");
        assertThat(values(Query.all().kind("recovery").key("web").instance("db")))
                .containsExactly("2");
        assertThat(values(Query.all().since(now))).containsExactly("3", "4");
        assertThat(values(Query.all().since(now.plusNanos(1)))).isEmpty();
        assertThat(values(Query.all().since(Instant.MIN))).hasSize(4);
        assertThat(values(Query.all().since(Instant.MAX))).isEmpty();
        assertThat(values(Query.all().kind("recovery").since(now))).containsExactly("3");
        assertThat(values(Query.all().after(second))).containsExactly("3", "4");
        assertThat(values(Query.all().limit(2))).containsExactly("1", "2");
        assertThat(values(Query.all().newest(2))).containsExactly("3", "4");
        assertThat(values(Query.all().kind("nothing' OR 1=1 --"))).isEmpty();
    }

    @Test
    void orderIsThatOfWritingEvenWhenTheClockGoesBack() throws JournalException {
        journal.append(entry("a", "k", "1"));
        now = now.minusSeconds(3600);
        journal.append(entry("a", "k", "2"));
        now = now.plusSeconds(7200);
        journal.append(entry("a", "k", "3"));
        assertThat(values(Query.all())).containsExactly("1", "2", "3");
        assertThat(values(Query.all().since(now.minusSeconds(3601)))).containsExactly("1", "3");
    }

    @Test
    void latestIsTheNewestRecordOfEachOpenKey() throws JournalException {
        journal.append(entry("instance", "web", "1"));
        journal.append(entry("instance", "db", "2"));
        journal.append(entry("instance", "web", "3"));
        journal.append(entry("instance", "old", "4"));
        journal.append(entry("instance", "old", "5").closing());
        journal.append(entry("policy", "web", "6"));
        assertThat(journal.latest("instance"))
                .extracting(r -> r.entry().fields().get("value"))
                .containsExactly("2", "3");
        assertThat(journal.latest("none")).isEmpty();

        journal.append(entry("instance", "old", "7"));
        assertThat(journal.latest("instance"))
                .extracting(r -> r.entry().fields().get("value"))
                .containsExactly("2", "3", "7");
    }

    @Test
    void appendOfManyIsAllOrNothing() throws JournalException {
        Entry tooLarge = entry("a", "k2", "x".repeat(Entry.MAX_BYTES));
        assertThatThrownBy(() -> journal.append(List.of(entry("a", "k1", "1"), tooLarge)))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("journal entry of a \"k2\" has 65544 bytes; the most is 65536");
        assertThat(journal.read(Query.all())).isEmpty();

        long last = journal.append(List.of(entry("a", "k1", "1"), entry("a", "k1", "2"), entry("a", "k2", "3")));
        assertThat(journal.read(Query.all()))
                .hasSize(3)
                .last()
                .extracting(JournalRecord::sequence)
                .isEqualTo(last);
        assertThat(journal.latest("a")).hasSize(2);
    }

    @Test
    void anEntryOfExactlyTheLimitIsWritten() throws JournalException {
        String value = "x".repeat(Entry.MAX_BYTES - "a".length() - "k".length() - "value".length());
        journal.append(entry("a", "k", value));
        assertThat(values(Query.all())).containsExactly(value);
    }

    @Test
    void whatCannotBeWrittenIsRefusedWithItsName() {
        assertThatThrownBy(() -> journal.append(entry("a", "k", "\ud800")))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("field value");
        assertThatThrownBy(() -> journal.append(entry("", "k", "1"))).hasMessageContaining("needs a kind and a key");
        assertThatThrownBy(() -> journal.append(List.of())).hasMessageContaining("must be 1 to 1000");
        assertThatThrownBy(() -> journal.append(Collections.nCopies(Journal.MAX_APPEND + 1, entry("a", "k", "1"))))
                .hasMessageContaining("an append of 1001");
    }

    @Test
    void aReadIsBoundedInBytesAndGoesOnAfterTheLastRecord() throws JournalException {
        String value = "x".repeat(60_000);
        for (int i = 0; i < 4; i++) {
            List<Entry> entries = new ArrayList<>();
            for (int j = 0; j < 100; j++) {
                entries.add(entry("a", "k" + (i * 100 + j), value));
            }
            journal.append(entries);
        }
        List<JournalRecord> page = journal.read(Query.all());
        assertThat(page.size()).isBetween(250, 279);
        int all = page.size()
                + journal.read(Query.all().after(page.get(page.size() - 1).sequence()))
                        .size();
        assertThat(all).isEqualTo(400);
        assertThatThrownBy(() -> journal.latest("a"))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("open records of kind a take more than 16 MiB");
    }

    @Test
    void twoJournalsOverOneFileKeepOneOrder() throws Exception {
        Set<Long> sequences = Collections.synchronizedSet(new TreeSet<>());
        try (SqliteJournal successor = Journals.open(directory)) {
            List<Thread> threads = new ArrayList<>();
            for (SqliteJournal one : List.of(journal, successor)) {
                Thread thread = new Thread(() -> {
                    long last = 0;
                    for (int i = 0; i < 200; i++) {
                        try {
                            long sequence = one.append(entry("a", "k", "1"));
                            assertThat(sequence).isGreaterThan(last);
                            sequences.add(sequence);
                            last = sequence;
                        } catch (JournalException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                });
                threads.add(thread);
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            journal.close();
            assertThat(sequences).hasSize(400);
            assertThat(successor.read(Query.all()))
                    .extracting(JournalRecord::sequence)
                    .containsExactlyElementsOf(sequences);
            assertThat(successor.latest("a")).hasSize(1);
        }
    }

    @Test
    void anEndedJournalSaysSo() {
        journal.close();
        assertThatThrownBy(() -> journal.append(entry("a", "k", "1")))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("has ended; ask for its successor");
    }

    private List<String> values(Query query) throws JournalException {
        return journal.read(query).stream()
                .map(r -> r.entry().fields().get("value"))
                .toList();
    }
}
