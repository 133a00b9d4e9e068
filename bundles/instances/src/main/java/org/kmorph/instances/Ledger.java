// SPDX-License-Identifier: Apache-2.0
package org.kmorph.instances;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.InstanceException.Reason;
import org.kmorph.api.instance.InstanceSpec;
import org.kmorph.api.instance.InstanceState;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.api.time.TimeSource;

/**
 * The instances as the journal knows them. Every change is in the journal first, then here, then told to the listeners; one that
 * cannot be recorded does not happen. Thread-safe; who changes an instance holds it by the {@link Registry}.
 */
final class Ledger {
    /** Ids go to 32,767: they number peers on the shared-memory link, which counts in 16 bits. */
    private static final int LAST_ID = 0x7fff;

    private static final String ID_KIND = "instance-id";

    private final Map<String, InstanceRecord> records = new ConcurrentHashMap<>();
    private final Supplier<Journal> journal;
    private final TimeSource time;
    private final Announcer announcer;
    private final int maxInstances;

    Ledger(Supplier<Journal> journal, TimeSource time, Announcer announcer, int maxInstances) {
        this.journal = journal;
        this.time = time;
        this.announcer = announcer;
        this.maxInstances = maxInstances;
    }

    /** Reads what a former daemon left. */
    List<InstanceRecord> load() throws JournalException {
        List<InstanceRecord> found = new ArrayList<>();
        for (JournalRecord record : journal.get().latest(InstanceRecord.KIND)) {
            try {
                found.add(InstanceRecord.of(record.entry()));
            } catch (IllegalArgumentException e) {
                throw new JournalException(
                        "record " + record.sequence() + " of instance \""
                                + record.entry().key() + "\" is not readable: " + e.getMessage(),
                        e);
            }
        }
        found.forEach(record -> records.put(record.instance().name(), record));
        return found;
    }

    List<Instance> list() {
        return records.values().stream()
                .map(InstanceRecord::instance)
                .sorted(Comparator.comparingInt(Instance::id))
                .toList();
    }

    Optional<InstanceRecord> find(String name) {
        return Optional.ofNullable(records.get(name));
    }

    /** By what never changes; names do. */
    Optional<InstanceRecord> find(int id) {
        return records.values().stream()
                .filter(record -> record.instance().id() == id)
                .findFirst();
    }

    /** The record of an instance that must be there. */
    InstanceRecord get(String name) throws InstanceException {
        return find(name)
                .orElseThrow(() -> new InstanceException(
                        Reason.NO_SUCH_INSTANCE, "no instance \"" + name + "\"; `list` shows those there are"));
    }

    /** Records a new instance in STARTING, under an id that nothing living has. One caller at a time. */
    InstanceRecord add(InstanceSpec spec, String imageRelease, java.util.function.IntToLongFunction contextId)
            throws InstanceException {
        if (records.containsKey(spec.name())) {
            throw new InstanceException(
                    Reason.REFUSED,
                    "instance \"" + spec.name() + "\" is there already; terminate it first, or use another name");
        }
        if (records.size() >= maxInstances) {
            throw new InstanceException(
                    Reason.REFUSED,
                    "there are " + maxInstances
                            + " instances, as many as max.instances in etc/org.kmorph.instances.cfg allows");
        }
        try {
            int id = nextId();
            InstanceRecord record = new InstanceRecord(
                    new Instance(
                            id,
                            spec,
                            InstanceState.STARTING,
                            time.now(),
                            "",
                            contextId.applyAsLong(id),
                            imageRelease,
                            Optional.empty(),
                            List.of()),
                    false);
            Entry lastId = Entry.of(ID_KIND, "last", Map.of("id", Integer.toString(id)));
            journal.get().append(List.of(lastId, record.entry()));
            publish(record);
            return record;
        } catch (JournalException e) {
            throw notRecorded(spec.name(), e);
        }
    }

    private int nextId() throws JournalException {
        int last = journal.get().read(Query.all().kind(ID_KIND).newest(1)).stream()
                .map(record -> Integer.parseInt(record.entry().fields().get("id")))
                .findFirst()
                .orElse(0);
        List<Integer> living =
                records.values().stream().map(record -> record.instance().id()).toList();
        int id = last;
        do {
            id = id % LAST_ID + 1;
        } while (living.contains(id));
        return id;
    }

    /** Moves an instance by an event. @throws InstanceException when that is not legal, or cannot be recorded */
    InstanceRecord move(InstanceRecord record, Lifecycle.Event event, String detail) throws InstanceException {
        InstanceState from = record.instance().state();
        InstanceState to = Lifecycle.after(from, event)
                .orElseThrow(() -> new InstanceException(
                        Reason.REFUSED,
                        "instance \"" + record.instance().name() + "\" is " + from + "; that does not go from there"));
        InstanceRecord moved = record.with(to, time.now(), detail);
        try {
            journal.get().append(moved.entry());
        } catch (JournalException e) {
            throw notRecorded(record.instance().name(), e);
        }
        publish(moved);
        return moved;
    }

    /** Gives the name of one to another, all in one append; the former bearer is called aside. */
    InstanceRecord succeed(InstanceRecord former, InstanceRecord successor, String aside) throws InstanceException {
        String name = former.instance().name();
        Instant now = time.now();
        InstanceRecord bearer = successor.as(name, former.instance().spec().monitor(), now, "morphed");
        InstanceRecord old = former.as(
                aside, false, now, "succeeded by " + successor.instance().id());
        try {
            journal.get().append(List.of(old.entry(), successor.entry().closing(), bearer.entry()));
        } catch (JournalException e) {
            throw notRecorded(name, e);
        }
        records.remove(successor.instance().name());
        announcer.gone(successor.instance());
        publish(old);
        publish(bearer);
        return bearer;
    }

    /** Calls one by another name, all in one append. */
    InstanceRecord rename(InstanceRecord record, String name, String detail) throws InstanceException {
        InstanceRecord renamed = record.as(name, record.instance().spec().monitor(), time.now(), detail);
        try {
            journal.get().append(List.of(record.entry().closing(), renamed.entry()));
        } catch (JournalException e) {
            throw notRecorded(record.instance().name(), e);
        }
        records.remove(record.instance().name());
        announcer.gone(record.instance());
        publish(renamed);
        return renamed;
    }

    /** Closes the record of an instance of which nothing is left. */
    void remove(InstanceRecord record, String detail) throws InstanceException {
        InstanceRecord last = record.with(record.instance().state(), time.now(), detail);
        try {
            journal.get().append(last.entry().closing());
        } catch (JournalException e) {
            throw notRecorded(record.instance().name(), e);
        }
        records.remove(record.instance().name());
        announcer.gone(last.instance());
    }

    private void publish(InstanceRecord record) {
        records.put(record.instance().name(), record);
        announcer.changed(record.instance());
    }

    private static InstanceException notRecorded(String name, JournalException cause) {
        return new InstanceException(
                Reason.NOT_NOW,
                "instance \"" + name + "\" was left as it is, for the change could not be recorded: "
                        + cause.getMessage(),
                cause);
    }

    Instant now() {
        return time.now();
    }
}
