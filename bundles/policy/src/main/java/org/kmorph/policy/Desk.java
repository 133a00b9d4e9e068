// SPDX-License-Identifier: Apache-2.0
package org.kmorph.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.Policies.Document;
import org.kmorph.api.policy.Policies.Effective;
import org.kmorph.api.policy.PolicyException;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.PolicyTable;
import org.kmorph.api.policy.StandardPolicy;

/** Reads and changes the book: a change is checked whole, recorded whole, and only then of effect. Thread-safe. */
final class Desk {
    private final Tables tables;
    private final Supplier<Journal> journal;
    private final Function<String, Optional<String>> spawnedTimeout;
    private volatile Book book = Book.EMPTY;

    /** @param spawnedTimeout the heartbeat timeout that an instance was given when it was spawned */
    Desk(Tables tables, Supplier<Journal> journal, Function<String, Optional<String>> spawnedTimeout) {
        this.tables = tables;
        this.journal = journal;
        this.spawnedTimeout = spawnedTimeout;
    }

    synchronized void load() throws JournalException {
        book = Shelf.read(journal.get());
    }

    Document document() {
        return book.set();
    }

    <T> T value(String instance, PolicySetting<T> setting) {
        return setting.read(found(book, Optional.of(instance), setting).value());
    }

    private Book.Found found(Book in, Optional<String> instance, PolicySetting<?> setting) {
        Optional<String> spawned = setting.name().equals(StandardPolicy.HEARTBEAT_TIMEOUT.name())
                ? instance.flatMap(spawnedTimeout)
                : Optional.empty();
        return in.find(instance, setting, spawned);
    }

    List<Effective> effective(Optional<String> instance) {
        Book now = book;
        return tables.settings().values().stream()
                .<Effective>map(setting -> {
                    Book.Found found = found(now, instance, setting);
                    return new Effective(setting, found.value(), found.source());
                })
                .toList();
    }

    void set(Optional<String> instance, String setting, String value) throws PolicyException {
        change(before ->
                before.with(instance, setting, Optional.of(tables.find(setting).check(value))));
    }

    void unset(Optional<String> instance, String setting) throws PolicyException {
        change(before -> before.with(instance, setting, Optional.empty()));
    }

    void replace(Document document) throws PolicyException {
        change(before -> {
            Map<String, Map<String, String>> checked = new TreeMap<>();
            document.instances()
                    .forEach((name, values) -> checked.put(name, checked("instance \"" + name + "\": ", values)));
            return new Book(new Document(checked("", document.defaults()), checked));
        });
    }

    private Map<String, String> checked(String whose, Map<String, String> values) {
        Map<String, String> checked = new TreeMap<>();
        values.forEach((name, value) -> {
            try {
                checked.put(name, tables.find(name).check(value));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(whose + e.getMessage(), e);
            }
        });
        return checked;
    }

    private synchronized void change(Change change) throws PolicyException {
        try {
            Book before = book;
            Book after = change.apply(before);
            check(before, after);
            Shelf.replace(journal.get(), before, after);
            book = after;
        } catch (IllegalArgumentException e) {
            throw new PolicyException(true, e.getMessage(), e);
        } catch (JournalException e) {
            throw new PolicyException(false, "nothing was changed, for it could not be recorded: " + e.getMessage(), e);
        }
    }

    /** Checks what the change touches: values of all instances when those for all have changed. */
    private void check(Book before, Book after) {
        Map<String, Map<String, String>> own = after.set().instances();
        if (own.size() > Policies.MAX_INSTANCES) {
            throw new IllegalArgumentException(own.size() + " instances would have values of their own; at most "
                    + Policies.MAX_INSTANCES + " may: set what they share for all, or by a profile");
        }
        own.keySet().stream()
                .filter(name -> !InstanceSpec.isName(name))
                .findFirst()
                .ifPresent(name -> {
                    throw new IllegalArgumentException("\"" + name + "\" is no instance name");
                });
        boolean all = !before.set().defaults().equals(after.set().defaults());
        if (all) {
            check(before, after, Optional.empty());
        }
        for (String name : new TreeSet<>(own.keySet())) {
            if (all || !own.get(name).equals(before.set().instances().get(name))) {
                check(before, after, Optional.of(name));
            }
        }
    }

    /** What was wrong in the same way before is not this change's fault: a policy's bundle has left, say. */
    private void check(Book before, Book after, Optional<String> instance) {
        Optional<String> wrong = wrong(after, instance);
        if (wrong.isPresent() && !wrong.equals(wrong(before, instance))) {
            throw new IllegalArgumentException(
                    instance.map(name -> "instance \"" + name + "\": ").orElse("") + wrong.get());
        }
    }

    private Optional<String> wrong(Book in, Optional<String> instance) {
        try {
            tables.check(new PolicyTable.Values() {
                @Override
                public <T> T value(PolicySetting<T> setting) {
                    return setting.read(found(in, instance, setting).value());
                }
            });
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(e.getMessage());
        }
    }

    /** What a book becomes. @throws IllegalArgumentException when that is refused */
    @FunctionalInterface
    private interface Change {
        Book apply(Book before);
    }
}
