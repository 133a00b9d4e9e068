// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.List;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** The journal as the daemon sees it: what it is told to be on disk, the judge remembers. */
final class WitnessedJournal implements Journal {
    private final Journal journal;
    private final Judge judge;

    WitnessedJournal(Journal journal, Judge judge) {
        this.journal = journal;
        this.judge = judge;
    }

    @Override
    public long append(List<Entry> entries) throws JournalException {
        long sequence = journal.append(entries);
        judge.acknowledged(entries);
        return sequence;
    }

    @Override
    public void note(Entry entry) throws JournalException {
        journal.note(entry);
    }

    @Override
    public List<JournalRecord> read(Query query) throws JournalException {
        return journal.read(query);
    }

    @Override
    public List<JournalRecord> latest(String kind) throws JournalException {
        return journal.latest(kind);
    }
}
