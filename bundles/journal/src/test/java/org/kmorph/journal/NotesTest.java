// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** Notes are read as if they had been appended, whoever dies when. */
class NotesTest {
    @TempDir
    private Path directory;

    private static List<String> values(SqliteJournal journal) throws JournalException {
        return journal.read(Query.all()).stream()
                .map(JournalRecord::entry)
                .map(entry -> entry.fields().get("value"))
                .toList();
    }

    @Test
    void aNoteStandsBetweenTheAppendsAroundIt() throws Exception {
        try (SqliteJournal journal = Journals.open(directory)) {
            journal.append(Journals.entry("morph", "a", "begun"));
            journal.note(Journals.entry("morph", "a", "released"));
            journal.append(Journals.entry("morph", "a", "committed"));
            journal.note(Journals.entry("morph", "b", "released"));
            assertThat(values(journal)).containsExactly("begun", "released", "committed", "released");
            assertThat(journal.latest("morph"))
                    .extracting(record -> record.entry().fields().get("value"))
                    .containsExactly("committed", "released");
        }
    }

    @Test
    void aNoteThatIsReadyIsWrittenWhenItIsNoted() throws Exception {
        try (SqliteJournal journal = Journals.open(directory)) {
            Journal.Noting ready = journal.ready(Journals.entry("morph", "a", "released"));
            journal.append(Journals.entry("morph", "a", "releasing"));
            assertThat(values(journal)).containsExactly("releasing");
            ready.note();
            assertThat(values(journal)).containsExactly("releasing", "released");
            List<JournalRecord> records = journal.read(Query.all());
            assertThat(records.get(1).time()).isAfterOrEqualTo(records.get(0).time());
        }
    }

    /** The process is gone without having closed anything: the file alone speaks. */
    @Test
    void aNoteIsThereForTheSuccessorOfAProcessThatDied() throws Exception {
        Path next = Files.createDirectories(directory.resolve("next"));
        try (SqliteJournal journal = Journals.open(directory)) {
            journal.append(Journals.entry("morph", "a", "begun"));
        }
        try (SqliteJournal journal = Journals.open(directory)) {
            journal.note(Journals.entry("morph", "a", "released"));
            for (String file : List.of(Database.FILE_NAME, Notes.FILE_NAME)) {
                Files.copy(directory.resolve(file), next.resolve(file));
            }
        }
        try (SqliteJournal successor = Journals.open(next)) {
            assertThat(values(successor)).containsExactly("begun", "released");
        }
    }

    /** It died after the database had taken the note, and before the note was forgotten. */
    @Test
    void aNoteThatTheDatabaseHasAlreadyIsNotTakenAgain() throws Exception {
        Path kept = directory.resolve("kept");
        try (SqliteJournal journal = Journals.open(directory)) {
            journal.note(Journals.entry("morph", "a", "released"));
            Files.copy(directory.resolve(Notes.FILE_NAME), kept);
            journal.append(Journals.entry("morph", "a", "committed"));
        }
        Files.copy(kept, directory.resolve(Notes.FILE_NAME), StandardCopyOption.REPLACE_EXISTING);
        try (SqliteJournal successor = Journals.open(directory)) {
            assertThat(successor.latest("morph"))
                    .extracting(record -> record.entry().fields().get("value"))
                    .containsExactly("committed");
            assertThat(values(successor)).containsExactly("released", "committed");
        }
    }

    @Test
    void twoJournalsOverOneFileSeeEachOthersNotes() throws Exception {
        try (SqliteJournal one = Journals.open(directory);
                SqliteJournal other = Journals.open(directory)) {
            one.note(Journals.entry("morph", "a", "released"));
            assertThat(values(other)).containsExactly("released");
            assertThat(values(one)).containsExactly("released");
        }
    }

    @Test
    void whatHasNoRoomIsAppended() throws Exception {
        String large = "x".repeat(60_000);
        try (SqliteJournal journal = Journals.open(directory)) {
            for (int i = 0; i < 12; i++) {
                journal.note(Entry.of("morph", "a" + i, Map.of("value", large)));
            }
            assertThat(values(journal)).hasSize(12).containsOnly(large);
        }
    }

    @Test
    void aDamagedNoteAndWhatFollowsIsNotBelieved() throws Exception {
        try (SqliteJournal journal = Journals.open(directory)) {
            journal.note(Journals.entry("morph", "a", "released"));
            byte[] bytes = Files.readAllBytes(directory.resolve(Notes.FILE_NAME));
            bytes[20] ^= 1;
            Files.write(directory.resolve(Notes.FILE_NAME), bytes);
            journal.append(Journals.entry("morph", "b", "begun"));
            assertThat(values(journal)).containsExactly("begun");
        }
    }
}
