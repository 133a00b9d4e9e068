// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.journal.Compaction.Contents;
import org.kmorph.journal.Compaction.KindHistory;

/** A connection that reads; it sees what was committed when a read began, and holds up no writer. One thread at a time. */
final class Reader implements AutoCloseable {
    private static final String COLUMNS =
            "SELECT sequence, time, kind, key, instance, closes, fields, crc FROM record ";
    /** About what the objects of a record take besides its fields. */
    private static final int RECORD_BYTES = 200;

    private final Connection connection;
    private final Failures failures;

    Reader(Connection connection, Failures failures) {
        this.connection = connection;
        this.failures = failures;
    }

    /**
     * Every plan walks one index in the order of sequence numbers and stops at the limit; nothing is sorted. The plus signs
     * keep SQLite from other plans (https://www.sqlite.org/optoverview.html, section 2).
     */
    List<JournalRecord> read(Query query) throws SQLException, JournalException {
        StringBuilder sql = new StringBuilder(COLUMNS);
        List<Object> values = new ArrayList<>(List.of(query.after()));
        if (query.since().isPresent()
                && query.kind().isEmpty()
                && query.key().isEmpty()
                && query.instance().isEmpty()) {
            // one bound for the walk to begin at: of two, SQLite takes one and tests the other on each record
            sql.append("WHERE sequence > max(?, ifnull((SELECT min(sequence) FROM record INDEXED BY by_time"
                    + " WHERE time >= ?) - 1, 9223372036854775807))");
            values.add(Times.toNanos(query.since().get()));
        } else {
            sql.append("WHERE sequence > ?");
        }
        query.kind().ifPresent(kind -> {
            // a key, or an instance, picks fewer records than its kind
            sql.append(query.key().isPresent() || query.instance().isPresent() ? " AND +kind = ?" : " AND kind = ?");
            values.add(kind);
        });
        query.key().ifPresent(key -> {
            sql.append(" AND key = ?");
            values.add(key);
        });
        query.instance().ifPresent(instance -> {
            sql.append(query.key().isPresent() ? " AND +instance = ?" : " AND instance = ?");
            values.add(instance);
        });
        query.since().map(Times::toNanos).ifPresent(since -> {
            sql.append(" AND +time >= ?");
            values.add(since);
        });
        sql.append(query.newest() ? " ORDER BY sequence DESC" : " ORDER BY sequence")
                .append(" LIMIT ?");
        values.add(query.limit());
        List<JournalRecord> records = new ArrayList<>();
        fetch(sql.toString(), values, records);
        if (query.newest()) {
            Collections.reverse(records);
        }
        return records;
    }

    List<JournalRecord> latest(String kind) throws SQLException, JournalException {
        List<JournalRecord> records = new ArrayList<>();
        String states = "SELECT sequence FROM record INDEXED BY state WHERE kind = ? AND open = 1";
        if (!fetch(COLUMNS + "WHERE sequence IN (" + states + ") ORDER BY sequence", List.of(kind), records)) {
            throw new JournalException("the open records of kind " + kind + " take more than "
                    + (Journal.MAX_READ_BYTES >> 20) + " MiB; close some of them");
        }
        return records;
    }

    /** What compaction decides upon. */
    Contents contents() throws SQLException {
        List<KindHistory> history = new ArrayList<>();
        String sql = "SELECT h.kind, h.records, h.oldest, r.time FROM (SELECT kind, count(*) AS records,"
                + " min(sequence) AS oldest FROM record INDEXED BY history WHERE open = 0 GROUP BY kind) AS h"
                + " JOIN record AS r ON r.sequence = h.oldest";
        try (PreparedStatement statement = connection.prepareStatement(sql);
                ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                history.add(new KindHistory(
                        result.getString(1), result.getLong(2), result.getLong(3), Times.ofNanos(result.getLong(4))));
            }
        }
        long pages = Database.number(connection, "PRAGMA page_count");
        long free = Database.number(connection, "PRAGMA freelist_count");
        return new Contents((pages - free) * Database.number(connection, "PRAGMA page_size"), history);
    }

    boolean hasFreePages() throws SQLException {
        return Database.number(connection, "PRAGMA freelist_count") > 0;
    }

    /** Moves what is in the write-ahead log into the database, as far as readers allow; writers go on meanwhile. */
    void checkpoint() throws SQLException {
        Database.execute(connection, "PRAGMA wal_checkpoint(PASSIVE)");
    }

    Connection connection() {
        return connection;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }

    /** Whether all fitted into the most that a read answers with. */
    private boolean fetch(String sql, List<?> values, List<JournalRecord> into) throws SQLException, JournalException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.size(); i++) {
                statement.setObject(i + 1, values.get(i));
            }
            long bytes = 0;
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    byte[] fields = result.getBytes(7);
                    bytes += RECORD_BYTES + fields.length;
                    if (bytes > Journal.MAX_READ_BYTES) {
                        return false;
                    }
                    into.add(record(result, fields));
                }
            }
            return true;
        }
    }

    private JournalRecord record(ResultSet row, byte[] fields) throws SQLException, JournalException {
        long sequence = row.getLong(1);
        Instant time = Times.ofNanos(row.getLong(2));
        String kind = row.getString(3);
        String key = row.getString(4);
        Optional<String> instance = Optional.ofNullable(row.getString(5));
        boolean closes = row.getBoolean(6);
        if (EntryCodec.check(time, kind, key, instance.orElse(""), closes, fields) != row.getLong(8)) {
            throw failures.damaged("record " + sequence + " does not match its checksum", null);
        }
        return new JournalRecord(sequence, time, new Entry(kind, key, instance, closes, EntryCodec.decode(fields)));
    }
}
