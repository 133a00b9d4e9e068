// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** A journal in memory that can be full. */
final class MemoryJournal implements Journal {
    final List<Entry> entries = new ArrayList<>();
    boolean full;

    /** The results on record, oldest first. */
    List<String> results() {
        return entries.stream().map(entry -> entry.fields().get("result")).toList();
    }

    @Override
    public long append(List<Entry> added) throws JournalException {
        if (full) {
            throw new JournalException("the disk is full");
        }
        entries.addAll(added);
        return entries.size();
    }

    @Override
    public List<JournalRecord> read(Query query) {
        return entries.stream()
                .map(entry -> new JournalRecord(1, Instant.EPOCH, entry))
                .toList();
    }

    @Override
    public List<JournalRecord> latest(String kind) {
        return List.of();
    }
}
