// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kmorph.journal.Journals.entry;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.Query;
import org.sqlite.jdbc4.JDBC4Connection;

/** A journal that is not what was written is refused with the way out, and left as it is. */
class DamageTest {
    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void write() throws JournalException {
        file = directory.resolve(Database.FILE_NAME);
        try (SqliteJournal journal = Journals.open(directory)) {
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                entries.add(entry("a", "k" + i, "number " + i + "."));
            }
            journal.append(entries);
        }
    }

    @Test
    void anEmptiedFileIsRefused() throws IOException {
        truncate(0);
        refused("is damaged (the file is empty)");
    }

    @Test
    void aTruncatedFileIsRefused() throws IOException {
        truncate(Files.size(file) / 2 / 4096 * 4096);
        refused("is damaged");
        truncate(1_000);
        refused("is damaged");
    }

    @Test
    void aFileThatIsNoDatabaseIsRefused() throws IOException {
        Files.writeString(file, "no database".repeat(1_000));
        refused("is damaged");
    }

    @Test
    void aBrokenPageIsRefused() throws IOException {
        try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
            writer.seek(10 * 4096);
            writer.write(new byte[4096]);
        }
        refused("is damaged");
    }

    @Test
    void aFlippedBitInARecordIsFoundWhenItIsRead() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int at = new String(bytes, ISO_8859_1).indexOf("number 500.");
        bytes[at] ^= 1;
        Files.write(file, bytes);
        try (SqliteJournal journal = Journals.open(directory)) {
            assertThat(journal.read(Query.all().key("k499"))).hasSize(1);
            assertThatThrownBy(() -> journal.read(Query.all().key("k500")))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("record 501 does not match its checksum");
            assertThatThrownBy(() -> journal.latest("a")).hasMessageContaining("does not match its checksum");
        }
    }

    @Test
    void aLogWithoutItsFileIsRefused() throws IOException {
        Files.move(file, directory.resolve("journal.db-wal"));
        assertThatThrownBy(() -> Journals.open(directory))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("the file is missing, but its write-ahead log is there");
        assertThat(file).doesNotExist();
    }

    @Test
    void aTornLastWriteIsAsIfItNeverWas() throws IOException {
        Path crashed = Files.createDirectory(directory.resolve("crashed"));
        try (SqliteJournal journal = Journals.open(directory)) {
            journal.append(entry("b", "k", "whole"));
            long whole = Files.size(directory.resolve("journal.db-wal"));
            journal.append(entry("b", "k", "torn"));
            assertThat(Files.size(directory.resolve("journal.db-wal"))).isGreaterThan(whole);
            Files.copy(file, crashed.resolve("journal.db"));
            Files.copy(directory.resolve("journal.db-wal"), crashed.resolve("journal.db-wal"));
        }
        try (RandomAccessFile writer =
                new RandomAccessFile(crashed.resolve("journal.db-wal").toFile(), "rw")) {
            writer.setLength(writer.length() - 100);
        }
        try (SqliteJournal journal = Journals.open(crashed)) {
            assertThat(journal.read(Query.all().kind("b")))
                    .extracting(r -> r.entry().fields().get("value"))
                    .containsExactly("whole");
        }
    }

    @Test
    void aCrashWhileTheJournalWasMadeLeavesNothingBehind() throws IOException {
        Path fresh = directory.resolve("fresh");
        Files.createDirectory(fresh);
        Files.writeString(fresh.resolve("journal.db.new"), "half a database");
        Files.writeString(fresh.resolve("journal.db.new-wal"), "half a log");
        try (SqliteJournal journal = Journals.open(fresh)) {
            journal.append(entry("a", "k", "1"));
            assertThat(fresh.resolve("journal.db.new")).doesNotExist();
            assertThat(fresh.resolve("journal.db.new-wal")).doesNotExist();
        }
    }

    @Test
    void aNewerFormatIsRefused() throws Exception {
        sql("PRAGMA user_version = 2");
        refused("was written by a newer kmorph (format 2; this one knows up to 1)");
    }

    @Test
    void anotherDatabaseIsRefused() throws Exception {
        sql("PRAGMA application_id = 1");
        refused("is an SQLite database, but no journal of kmorph");
    }

    @Test
    void theCheckAtOpeningIsBoundedInTime() throws JournalException {
        try (SqliteJournal journal = new SqliteJournal(directory, Journals.ALL, Instant::now, Duration.ofNanos(1))) {
            assertThat(journal.checkedWhole()).isFalse();
            assertThat(journal.read(Query.all())).hasSize(1_000);
            assertThat(journal.verify(Duration.ofMinutes(1))).isTrue();
        }
    }

    private void refused(String message) throws IOException {
        byte[] before = Files.readAllBytes(file);
        assertThatThrownBy(() -> Journals.open(directory))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(message);
        assertThat(Arrays.equals(Files.readAllBytes(file), before))
                .as("left as it is")
                .isTrue();
    }

    private void truncate(long bytes) throws IOException {
        try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
            writer.setLength(bytes);
        }
    }

    private void sql(String statement) throws Exception {
        try (Connection connection = new JDBC4Connection("jdbc:sqlite:" + file, file.toString(), new Properties())) {
            Database.execute(connection, statement);
        }
    }
}
