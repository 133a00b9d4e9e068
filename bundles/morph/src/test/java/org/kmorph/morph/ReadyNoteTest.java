// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.morph.core.Mark;

/** What was made ready is what is noted only as long as it says what is to be said, to the journal that there is. */
class ReadyNoteTest {
    private static final Plan PLAN = new Plan(
            UUID.fromString("00000000-0000-0000-0000-000000000001"),
            "web",
            1,
            Optional.of(2),
            Path.of("/kernel"),
            false,
            true,
            Instant.EPOCH,
            "6.1",
            Mark.RELEASING);

    private final Book first = new Book();
    private final AtomicReference<Journal> journal = new AtomicReference<>(first);
    private final ReadyNote note = new ReadyNote(journal::get, () -> PLAN);

    /** Says of each note whether it had been made ready. */
    private static final class Book implements Journal {
        private final List<String> written = new ArrayList<>();

        @Override
        public long append(List<Entry> entries) {
            entries.forEach(entry -> written.add(text(entry)));
            return written.size();
        }

        @Override
        public Noting ready(Entry entry) {
            return () -> written.add("ready " + text(entry));
        }

        private static String text(Entry entry) {
            return entry.fields().get("mark") + " " + entry.fields().get("detail");
        }

        @Override
        public List<JournalRecord> read(Query query) {
            return List.of();
        }

        @Override
        public List<JournalRecord> latest(String kind) {
            return List.of();
        }
    }

    @Test
    void itIsWrittenWhenItIsNotedAndNotBefore() throws Exception {
        note.make(Mark.RELEASED, "by hand");
        assertThat(first.written).isEmpty();
        note.write(Mark.RELEASED, "by hand");
        assertThat(first.written).containsExactly("ready RELEASED by hand");
    }

    @Test
    void anotherNoteIsMadeWhenItIsWritten() throws Exception {
        note.make(Mark.RELEASED, "");
        note.write(Mark.RETURNED, "");
        note.write(Mark.RELEASED, "it was fenced");
        assertThat(first.written).containsExactly("RETURNED ", "RELEASED it was fenced");
    }

    @Test
    void theSuccessorOfAJournalGetsIt() throws Exception {
        Book second = new Book();
        note.make(Mark.RELEASED, "");
        journal.set(second);
        note.write(Mark.RELEASED, "");
        assertThat(first.written).isEmpty();
        assertThat(second.written).containsExactly("RELEASED ");
    }
}
