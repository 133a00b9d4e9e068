// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.journal.Compaction.Contents;
import org.kmorph.journal.Compaction.Cut;

/**
 * The journal over one SQLite file. Thread-safe; a second one over the same file, in this JVM or another, is allowed, for the
 * time in which a successor takes over.
 *
 * <p>One connection writes, one reads, one does what happens in the background; each is made when it is needed and thrown away
 * when it failed, so that after a full disk the next call begins afresh. Notes stand in a file of their own until the next write or read.
 */
final class SqliteJournal implements Journal, AutoCloseable {
    private final Database database;
    private final Supplier<Instant> clock;
    private final Slot<Writer> writer;
    private final Slot<Reader> reader;
    private final Slot<Reader> background;
    private final Notes notes;
    private final AtomicLong appends = new AtomicLong();
    private final boolean checkedWhole;
    private volatile Retention retention;

    /**
     * Opens the journal in a directory, or makes one.
     *
     * @param check how long its soundness may be looked at before this returns
     * @throws JournalException when it is damaged, of a newer format, or cannot be reached; nothing was changed
     */
    SqliteJournal(Path directory, Retention retention, Supplier<Instant> clock, Duration check)
            throws JournalException {
        this.database = new Database(directory);
        this.retention = retention;
        this.clock = clock;
        this.writer = new Slot<>(() -> new Writer(database.open(this.retention.maxBytes())));
        Opener<Reader> readers = () -> new Reader(database.open(this.retention.maxBytes()), database.failures());
        this.reader = new Slot<>(readers);
        this.background = new Slot<>(readers);
        database.createIfMissing();
        this.notes = new Notes(directory);
        try {
            checkedWhole = verify(check);
        } catch (JournalException e) {
            close();
            throw e;
        }
    }

    /** Whether the check at its opening got to the end. */
    boolean checkedWhole() {
        return checkedWhole;
    }

    /** Looks whether the file is sound, as far as it gets in the time given; whether it got to the end. */
    boolean verify(Duration atMost) throws JournalException {
        return background.use("open", r -> database.verify(r.connection(), atMost));
    }

    @Override
    public long append(List<Entry> entries) throws JournalException {
        if (entries.isEmpty() || entries.size() > MAX_APPEND) {
            throw new JournalException(
                    "an append of " + entries.size() + " journal entries; it must be 1 to " + MAX_APPEND);
        }
        Instant now = clock.get();
        List<Writer.Row> rows = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            rows.add(new Writer.Row(entry, now, EntryCodec.encode(entry)));
        }
        long sequence = write(rows);
        appends.incrementAndGet();
        return sequence;
    }

    private long write(List<Writer.Row> rows) throws JournalException {
        return notes.isEmpty()
                ? writer.use("write to", w -> w.append(List.of(), rows))
                : notes.drain(noted -> writer.use("write to", w -> w.append(noted, rows)));
    }

    @Override
    public void note(Entry entry) throws JournalException {
        ready(entry).note();
    }

    @Override
    public Noting ready(Entry entry) throws JournalException {
        byte[] fields = EntryCodec.encode(entry);
        byte[] record = Notes.encode(entry, fields);
        return () -> {
            Instant now = clock.get();
            if (!notes.add(record, now)) {
                write(List.of(new Writer.Row(entry, now, fields)));
            }
            appends.incrementAndGet();
        };
    }

    /** What was noted comes into the database, so that it is read there. */
    private void settle() throws JournalException {
        if (!notes.isEmpty()) {
            write(List.of());
        }
    }

    @Override
    public List<JournalRecord> read(Query query) throws JournalException {
        settle();
        return reader.use("read", r -> r.read(query));
    }

    @Override
    public List<JournalRecord> latest(String kind) throws JournalException {
        settle();
        return reader.use("read", r -> r.latest(kind));
    }

    /** Keeps another amount of history from now on. */
    void retain(Retention changed) {
        retention = changed;
        writer.discard();
    }

    /** How many appends there were since this object was made. */
    long appends() {
        return appends.get();
    }

    /**
     * Removes what is to be kept no longer, gives its space back, and moves the write-ahead log into the file. In steps: an
     * append waits for one step at most.
     *
     * @return how many records went
     */
    long compact() throws JournalException {
        long removed = 0;
        Optional<Cut> cut = nextCut();
        while (cut.isPresent() && !Thread.currentThread().isInterrupted()) {
            long went = make(cut.get());
            if (went == 0) {
                break;
            }
            removed += went;
            cut = nextCut();
        }
        if (background.use("read", Reader::hasFreePages)) {
            while (writer.use("shrink", Writer::shrink)
                    && !Thread.currentThread().isInterrupted()) {
                checkpoint();
            }
        }
        checkpoint();
        return removed;
    }

    private long make(Cut cut) throws JournalException {
        long records = 0;
        long bytes = 0;
        int steps = 0;
        while (records < cut.records()
                && bytes < cut.bytes()
                && !Thread.currentThread().isInterrupted()) {
            Cut rest = new Cut(cut.kind(), cut.records() - records, cut.bytes() - bytes, cut.before());
            Writer.Removed step = writer.use("compact", w -> w.remove(rest));
            if (step.records() == 0) {
                break;
            }
            records += step.records();
            bytes += step.bytes();
            if (++steps % 4 == 0) {
                checkpoint();
            }
        }
        return records;
    }

    private Optional<Cut> nextCut() throws JournalException {
        Contents contents = background.use("read", Reader::contents);
        return Compaction.next(retention, contents, clock.get());
    }

    private void checkpoint() throws JournalException {
        background.use("checkpoint", r -> {
            r.checkpoint();
            return true;
        });
    }

    @Override
    public void close() {
        background.close();
        reader.close();
        writer.close();
        try {
            notes.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Makes a connection. */
    @FunctionalInterface
    private interface Opener<C> {
        C open() throws SQLException;
    }

    /** Does something with a connection. */
    @FunctionalInterface
    private interface Work<C, R> {
        R with(C connection) throws SQLException, JournalException;
    }

    /** A connection that one thread uses at a time, first come, first served. */
    private final class Slot<C extends AutoCloseable> implements AutoCloseable {
        /** Fair, so that compaction, which comes again and again, does not keep appends out. */
        private final ReentrantLock lock = new ReentrantLock(true);

        private final Opener<C> opener;
        private Optional<C> connection = Optional.empty();
        private boolean closed;

        private Slot(Opener<C> opener) {
            this.opener = opener;
        }

        private <R> R use(String verb, Work<C, R> work) throws JournalException {
            lock.lock();
            try {
                if (closed) {
                    throw new JournalException(
                            "cannot " + verb + " the journal: this service of it has ended; ask for its successor");
                }
                if (connection.isEmpty()) {
                    connection = Optional.of(opener.open());
                }
                return work.with(connection.get());
            } catch (SQLException e) {
                JournalException failure = database.failures().of(verb, e, retention.maxBytes());
                drop(failure);
                throw failure;
            } catch (RuntimeException | Error e) {
                // it may be within a transaction
                drop(e);
                throw e;
            } finally {
                lock.unlock();
            }
        }

        private void discard() {
            lock.lock();
            try {
                drop(new IllegalStateException());
            } finally {
                lock.unlock();
            }
        }

        private void drop(Throwable because) {
            try {
                if (connection.isPresent()) {
                    connection.get().close();
                }
            } catch (Exception e) {
                because.addSuppressed(e);
            }
            connection = Optional.empty();
        }

        @Override
        public void close() {
            lock.lock();
            try {
                closed = true;
                drop(new IllegalStateException());
            } finally {
                lock.unlock();
            }
        }
    }
}
