// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;

/** The contract of the journal over the simulated disk: a log of checksummed appends. One for each daemon, which reads it first. */
final class SimulatedJournal implements Journal {
    private static final long WRITE_NANOS = 300_000;

    private final World world;
    private final Life daemon;
    private final List<JournalRecord> records = new ArrayList<>();

    /** By kind, then by key, those that are not closed, in the order of their writing. */
    private final Map<String, Map<String, JournalRecord>> open = new LinkedHashMap<>();

    SimulatedJournal(World world, Life daemon) {
        this.world = world;
        this.daemon = daemon;
        byte[] file = world.disk().read();
        int at = 0;
        for (Optional<Integer> end = RecordCodec.end(file, at); end.isPresent(); end = RecordCodec.end(file, at)) {
            add(RecordCodec.decode(file, at, end.get()));
            at = end.get();
        }
        if (at < file.length) {
            world.disk().truncate(at);
        }
        // what is read is acted on, so it must stay
        sync();
        world.judge().recovered(records.stream().map(JournalRecord::entry).toList());
    }

    private long add(RecordCodec.Batch batch) {
        for (Entry entry : batch.entries()) {
            JournalRecord record = new JournalRecord(records.size() + 1L, batch.time(), entry);
            records.add(record);
            Map<String, JournalRecord> ofKind = open.computeIfAbsent(entry.kind(), kind -> new LinkedHashMap<>());
            ofKind.remove(entry.key());
            if (!entry.closes()) {
                ofKind.put(entry.key(), record);
            }
        }
        return records.size();
    }

    @Override
    public long append(List<Entry> entries) throws JournalException {
        world.killPoint(daemon, "appending");
        if (world.disk().full()) {
            throw new JournalException("the disk is full");
        }
        try {
            world.time().sleep(Duration.ofNanos(WRITE_NANOS + world.disk().slowNanos()));
        } catch (InterruptedException e) {
            // a write to a file is not interrupted; who asked for it finds out next time it waits
            Thread.currentThread().interrupt();
        }
        RecordCodec.Batch batch = new RecordCodec.Batch(world.time().now(), List.copyOf(entries));
        byte[] bytes = RecordCodec.encode(batch);
        world.killPoint(daemon, "writing", () -> tear(bytes));
        world.disk().append(bytes);
        world.judge().written(entries);
        world.killPoint(daemon, "having written");
        sync();
        long sequence = add(batch);
        world.killPoint(daemon, "having synced");
        return sequence;
    }

    @Override
    public void note(Entry entry) throws JournalException {
        world.killPoint(daemon, "noting");
        if (world.disk().full()) {
            throw new JournalException("the disk is full");
        }
        RecordCodec.Batch batch = new RecordCodec.Batch(world.time().now(), List.of(entry));
        world.disk().append(RecordCodec.encode(batch));
        world.judge().noted(entry);
        add(batch);
        world.killPoint(daemon, "having noted");
    }

    private void sync() {
        if (!world.disk().sync()) {
            world.judge().diskLies();
        }
    }

    private void tear(byte[] bytes) {
        world.disk().append(java.util.Arrays.copyOf(bytes, world.disks().between(0, bytes.length - 1)));
    }

    @Override
    public List<JournalRecord> read(Query query) {
        Scheduler.alive(daemon);
        List<JournalRecord> found = new ArrayList<>();
        for (JournalRecord record : records) {
            if (matches(record, query)) {
                found.add(record);
            }
        }
        int most = query.limit();
        if (found.size() <= most) {
            return found;
        }
        return query.newest() ? found.subList(found.size() - most, found.size()) : found.subList(0, most);
    }

    private static boolean matches(JournalRecord record, Query query) {
        Entry entry = record.entry();
        return record.sequence() > query.after()
                && (query.kind().isEmpty() || query.kind().get().equals(entry.kind()))
                && (query.key().isEmpty() || query.key().get().equals(entry.key()))
                && (query.instance().isEmpty() || query.instance().equals(entry.instance()))
                && (query.since().isEmpty()
                        || !record.time().isBefore(query.since().get()));
    }

    @Override
    public List<JournalRecord> latest(String kind) {
        Scheduler.alive(daemon);
        return List.copyOf(open.getOrDefault(kind, Map.of()).values());
    }
}
