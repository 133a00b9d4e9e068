// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.util.List;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** A journal that does not mind when there is no room for a record. */
final class ForgivingJournal implements Journal {
    private final Journal journal;

    ForgivingJournal(Journal journal) {
        this.journal = journal;
    }

    @Override
    public long append(List<Entry> entries) {
        try {
            return journal.append(entries);
        } catch (JournalException e) {
            return 0;
        }
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
