// SPDX-License-Identifier: Apache-2.0
package org.kmorph.morph;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** A journal that outlives the daemons of a test. */
final class MemoryJournal {
    private final Map<String, JournalRecord> open = new LinkedHashMap<>();
    private long sequence;

    /** As a daemon sees it: each write has a moment before it and one after it. */
    Journal with(Faults faults) {
        return new Journal() {
            @Override
            public long append(List<Entry> entries) {
                for (Entry entry : entries) {
                    String what = "journal " + entry.fields().get("mark") + (entry.closes() ? " closed" : "");
                    faults.moment("before " + what);
                    add(entry);
                    faults.moment("after " + what);
                }
                return sequence;
            }

            @Override
            public List<JournalRecord> read(Query query) {
                throw new UnsupportedOperationException("morphs read what is open");
            }

            @Override
            public List<JournalRecord> latest(String kind) {
                return all(kind);
            }
        };
    }

    private synchronized void add(Entry entry) {
        open.remove(entry.key());
        if (!entry.closes()) {
            open.put(entry.key(), new JournalRecord(++sequence, Instant.now(), entry));
        }
    }

    private synchronized List<JournalRecord> all(String kind) {
        return open.values().stream()
                .filter(record -> record.entry().kind().equals(kind))
                .toList();
    }

    /** The morph that is not over. */
    synchronized Optional<Plan> plan() {
        return open.values().stream().map(record -> Plan.of(record.entry())).findFirst();
    }
}
