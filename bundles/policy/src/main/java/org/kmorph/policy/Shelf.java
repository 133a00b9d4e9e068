// SPDX-License-Identifier: Apache-2.0
package org.kmorph.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.policy.Policies.Document;

/** Books in the journal: kind {@code policy}, key {@code defaults} or {@code instance NAME}, a field for each value. */
final class Shelf {
    static final String KIND = "policy";

    private static final String DEFAULTS = "defaults";

    private static final String INSTANCE = "instance ";

    private Shelf() {}

    static Book read(Journal journal) throws JournalException {
        Map<String, String> defaults = Map.of();
        Map<String, Map<String, String>> instances = new TreeMap<>();
        for (JournalRecord record : journal.latest(KIND)) {
            Entry entry = record.entry();
            if (entry.key().startsWith(INSTANCE)) {
                instances.put(entry.key().substring(INSTANCE.length()), entry.fields());
            } else {
                defaults = entry.fields();
            }
        }
        return new Book(new Document(defaults, instances));
    }

    /** Puts another book in the place of one, whole or not at all. */
    static void replace(Journal journal, Book before, Book after) throws JournalException {
        List<Entry> entries = new ArrayList<>();
        add(
                entries,
                DEFAULTS,
                Optional.empty(),
                before.set().defaults(),
                after.set().defaults());
        Map<String, Map<String, String>> old = before.set().instances();
        Map<String, Map<String, String>> now = after.set().instances();
        Map<String, Map<String, String>> both = new TreeMap<>(old);
        both.putAll(now);
        both.keySet()
                .forEach(name -> add(
                        entries,
                        INSTANCE + name,
                        Optional.of(name),
                        old.getOrDefault(name, Map.of()),
                        now.getOrDefault(name, Map.of())));
        if (!entries.isEmpty()) {
            journal.append(entries);
        }
    }

    private static void add(
            List<Entry> entries,
            String key,
            Optional<String> instance,
            Map<String, String> before,
            Map<String, String> after) {
        if (!before.equals(after)) {
            entries.add(new Entry(KIND, key, instance, after.isEmpty(), after));
        }
    }
}
