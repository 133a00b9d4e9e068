// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;

/**
 * The audit log: journal records of kind {@code audit}. A changing command is recorded before it runs and again with its result; one
 * that was begun and has no result was cut off with the daemon.
 */
public final class Audit {
    /** The kind of its records. */
    public static final String KIND = "audit";

    /** Longer command lines are cut in the record, with a note. */
    private static final int MAX_WORDS = 8_192;

    private final Supplier<Journal> journal;

    Audit(Supplier<Journal> journal) {
        this.journal = journal;
    }

    /** Records that a command is about to run. @return the key under which its result belongs */
    String begin(Caller caller, String command, List<String> words) throws JournalException {
        String key = UUID.randomUUID().toString();
        journal.get().append(Entry.of(KIND, key, fields(caller, command, words, "begun")));
        return key;
    }

    /** Records how it ended. */
    void end(String key, Caller caller, String command, List<String> words, ExitCode code) throws JournalException {
        journal.get()
                .append(Entry.of(
                                KIND,
                                key,
                                fields(caller, command, words, code.name().toLowerCase(Locale.ROOT)))
                        .closing());
    }

    private static Map<String, String> fields(Caller caller, String command, List<String> words, String result) {
        String line = String.join(" ", words);
        Map<String, String> fields = new TreeMap<>();
        fields.put("caller", caller.name());
        fields.put("role", caller.role().name().toLowerCase(Locale.ROOT));
        fields.put("door", caller.door().name().toLowerCase(Locale.ROOT));
        fields.put("origin", caller.origin());
        fields.put("command", command);
        fields.put("words", line.length() <= MAX_WORDS ? line : line.substring(0, MAX_WORDS) + " (cut)");
        fields.put("result", result);
        return fields;
    }
}
