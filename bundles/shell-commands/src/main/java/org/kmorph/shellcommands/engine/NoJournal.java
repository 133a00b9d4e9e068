// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.List;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** Stands for a journal that is not there: every use says so. */
final class NoJournal implements Journal {
    @Override
    public long append(List<Entry> entries) throws JournalException {
        throw absent();
    }

    @Override
    public List<JournalRecord> read(Query query) throws JournalException {
        throw absent();
    }

    @Override
    public List<JournalRecord> latest(String kind) throws JournalException {
        throw absent();
    }

    private static JournalException absent() {
        return new JournalException(
                "there is no journal now; `bundle list` shows why org.kmorph.journal is not active");
    }
}
