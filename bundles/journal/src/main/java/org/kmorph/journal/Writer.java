// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.util.List;
import org.kmorph.api.journal.Entry;
import org.kmorph.journal.Compaction.Cut;

/**
 * The one connection that writes. One thread at a time. After an error it is in no known state: close it, open another; what
 * it had not committed is undone by that.
 */
final class Writer implements AutoCloseable {
    /** A step holds up appends for as long as it takes, so it is small. */
    static final int STEP_RECORDS = 200;

    private static final long STEP_BYTES = 1 << 20;
    private static final int STEP_PAGES = 128;

    private final Connection connection;
    private final Statement begin;
    private final PreparedStatement supersede;
    private final PreparedStatement insert;
    private final PreparedStatement last;
    private final PreparedStatement known;
    private final PreparedStatement oldest;
    private final PreparedStatement remove;

    /** An entry as it goes into the table. */
    record Row(Entry entry, Instant time, byte[] fields) {}

    /** What a step of a cut did. */
    record Removed(int records, long bytes) {}

    Writer(Connection connection) throws SQLException {
        this.connection = connection;
        begin = connection.createStatement();
        supersede = connection.prepareStatement("UPDATE record SET open = 0 WHERE kind = ? AND key = ? AND open = 1");
        insert = connection.prepareStatement(
                "INSERT INTO record (time, kind, key, instance, closes, open, bytes, fields, crc)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        last = connection.prepareStatement("SELECT last_insert_rowid()");
        known = connection.prepareStatement(
                "SELECT 1 FROM record WHERE key = ? AND +kind = ? AND +time = ? AND +crc = ?");
        oldest = connection.prepareStatement("SELECT sequence, time, bytes FROM record INDEXED BY history"
                + " WHERE kind = ? AND open = 0 ORDER BY sequence LIMIT ?");
        remove = connection.prepareStatement(
                "DELETE FROM record INDEXED BY history WHERE kind = ? AND open = 0 AND sequence <= ?");
    }

    /** All rows, or none; before them what was noted, but for what a transaction has taken that was not lived to be known. */
    long append(List<Row> noted, List<Row> rows) throws SQLException {
        begin.execute("BEGIN IMMEDIATE");
        for (Row row : noted) {
            if (!isKnown(row)) {
                add(row);
            }
        }
        for (Row row : rows) {
            add(row);
        }
        long sequence;
        try (ResultSet result = last.executeQuery()) {
            result.next();
            sequence = result.getLong(1);
        }
        begin.execute("COMMIT");
        return sequence;
    }

    private boolean isKnown(Row row) throws SQLException {
        known.setString(1, row.entry().key());
        known.setString(2, row.entry().kind());
        known.setLong(3, Times.toNanos(row.time()));
        known.setLong(4, check(row));
        try (ResultSet result = known.executeQuery()) {
            return result.next();
        }
    }

    private void add(Row row) throws SQLException {
        Entry entry = row.entry();
        supersede.setString(1, entry.kind());
        supersede.setString(2, entry.key());
        supersede.executeUpdate();
        insert.setLong(1, Times.toNanos(row.time()));
        insert.setString(2, entry.kind());
        insert.setString(3, entry.key());
        if (entry.instance().isPresent()) {
            insert.setString(4, entry.instance().get());
        } else {
            insert.setNull(4, Types.VARCHAR);
        }
        insert.setBoolean(5, entry.closes());
        insert.setBoolean(6, !entry.closes());
        insert.setInt(7, row.fields().length);
        insert.setBytes(8, row.fields());
        insert.setLong(9, check(row));
        insert.executeUpdate();
    }

    private static long check(Row row) {
        Entry entry = row.entry();
        return EntryCodec.check(
                row.time(), entry.kind(), entry.key(), entry.instance().orElse(""), entry.closes(), row.fields());
    }

    /** One small step of a cut; nothing removed means that there is no more of it to do. */
    Removed remove(Cut cut) throws SQLException {
        begin.execute("BEGIN IMMEDIATE");
        long through = 0;
        int records = 0;
        long bytes = 0;
        oldest.setString(1, cut.kind());
        oldest.setLong(2, Math.min(STEP_RECORDS, cut.records()));
        try (ResultSet result = oldest.executeQuery()) {
            while (bytes < Math.min(STEP_BYTES, cut.bytes()) && result.next()) {
                Instant time = Times.ofNanos(result.getLong(2));
                if (cut.before().isPresent() && !time.isBefore(cut.before().get())) {
                    break;
                }
                through = result.getLong(1);
                bytes += result.getLong(3);
                records++;
            }
        }
        if (records > 0) {
            remove.setString(1, cut.kind());
            remove.setLong(2, through);
            remove.executeUpdate();
        }
        begin.execute("COMMIT");
        return new Removed(records, bytes);
    }

    /**
     * Gives some free pages back to the file system.
     *
     * @return whether there are more
     */
    boolean shrink() throws SQLException {
        // executeUpdate, because it goes through sqlite3_exec: each step gives back one page, and execute takes one
        // step
        begin.executeUpdate("PRAGMA incremental_vacuum(" + STEP_PAGES + ")");
        return Database.number(connection, "PRAGMA freelist_count") > 0;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
