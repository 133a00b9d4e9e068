// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.kmorph.api.journal.JournalException;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * The journal's file: how it is made, opened and found sound.
 *
 * <p>It is an SQLite database in write-ahead mode, {@code synchronous=FULL}: a commit returns after fsync of the write-ahead
 * log (https://www.sqlite.org/wal.html), and of its directory when the log is new. Stateless, so thread-safe.
 */
final class Database {
    static final String FILE_NAME = "journal.db";

    /** The version of the tables below. A change that an older kmorph cannot live with raises it. */
    static final int VERSION = 1;

    /** Says that a database is a journal of kmorph: "kmjl". */
    static final int APPLICATION_ID = 0x6b6d_6a6c;

    private static final int PAGE_BYTES = 4096;
    private static final int BUSY_TIMEOUT_MS = 5_000;
    private static final int CACHE_KIB = 512;
    /** The background thread checkpoints much earlier; this keeps the log bounded should it be gone. */
    private static final int LOG_PAGES_AT_MOST = 8_000;

    private static final int LOG_BYTES_KEPT = 1 << 20;
    private static final int STEPS_BETWEEN_PROGRESS = 1_000;

    private static final List<String> TABLES = List.of(
            // autoincrement: a sequence number is never given twice, not even after the newest record went
            """
            CREATE TABLE record (
              sequence INTEGER PRIMARY KEY AUTOINCREMENT,
              time INTEGER NOT NULL,     -- ns since 1970
              kind TEXT NOT NULL,
              key TEXT NOT NULL,
              instance TEXT,
              closes INTEGER NOT NULL,
              open INTEGER NOT NULL,     -- 1: it is the state of its key
              bytes INTEGER NOT NULL,
              fields BLOB NOT NULL,      -- lines name=value
              crc INTEGER NOT NULL       -- CRC32C of time, kind, key, instance, closes, fields
            )""",
            "CREATE UNIQUE INDEX state ON record (kind, key) WHERE open = 1",
            "CREATE INDEX history ON record (kind) WHERE open = 0",
            "CREATE INDEX by_kind ON record (kind)",
            "CREATE INDEX by_key ON record (key)",
            "CREATE INDEX by_instance ON record (instance) WHERE instance IS NOT NULL",
            "CREATE INDEX by_time ON record (time)");

    private final Path file;
    private final Failures failures;

    Database(Path directory) {
        this.file = directory.toAbsolutePath().resolve(FILE_NAME);
        this.failures = new Failures(file);
    }

    Path file() {
        return file;
    }

    Failures failures() {
        return failures;
    }

    /**
     * Makes an empty journal where there is none. It gets its name only once it is whole and on disk: a journal that lacks
     * something was never the work of a crash here, and is never taken for a new one.
     */
    void createIfMissing() throws JournalException {
        if (file.toString().indexOf('?') >= 0) {
            throw new JournalException("the journal cannot be at " + file
                    + ": SQLite takes what stands after a question mark for options. Choose another state directory");
        }
        try {
            Path directory = file.getParent();
            if (!Files.isDirectory(directory)) {
                Files.createDirectories(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                synchronise(directory.getParent());
            }
            if (Files.exists(file)) {
                if (Files.size(file) == 0) {
                    throw failures.damaged("the file is empty", null);
                }
                return;
            }
            if (Files.exists(beside(file, "-wal"))) {
                throw failures.damaged("the file is missing, but its write-ahead log is there", null);
            }
            Path unfinished = beside(file, ".new");
            for (String suffix : List.of("", "-wal", "-shm", "-journal")) {
                Files.deleteIfExists(beside(unfinished, suffix));
            }
            create(unfinished);
            Files.move(unfinished, file);
            synchronise(directory);
        } catch (SQLException e) {
            throw failures.of("create", e, Long.MAX_VALUE);
        } catch (JournalException e) {
            throw e;
        } catch (IOException e) {
            throw new JournalException(
                    "cannot create the journal " + file + ": " + e + ". Its directory must be writable for kmorphd", e);
        }
    }

    private static void create(Path path) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        try (Connection connection = connect(path, config)) {
            execute(connection, "PRAGMA page_size = " + PAGE_BYTES);
            execute(connection, "PRAGMA auto_vacuum = INCREMENTAL");
            execute(connection, "PRAGMA journal_mode = WAL");
            execute(connection, "BEGIN IMMEDIATE");
            for (String table : TABLES) {
                execute(connection, table);
            }
            execute(connection, "PRAGMA application_id = " + APPLICATION_ID);
            execute(connection, "PRAGMA user_version = " + VERSION);
            execute(connection, "COMMIT");
        }
    }

    /**
     * A connection to the journal that is there.
     *
     * @param maxBytes the size that the file must not grow over by what this connection writes
     */
    Connection open(long maxBytes) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        // without CREATE: a journal that vanished is an error, not an empty journal
        config.resetOpenMode(SQLiteOpenMode.CREATE);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setBusyTimeout(BUSY_TIMEOUT_MS);
        config.setCacheSize(-CACHE_KIB);
        config.setTempStore(SQLiteConfig.TempStore.MEMORY);
        config.setJournalSizeLimit(LOG_BYTES_KEPT);
        config.setMaxPageCount((int) Math.min(Integer.MAX_VALUE - 1L, maxBytes / PAGE_BYTES));
        Connection connection = connect(file, config);
        try {
            execute(connection, "PRAGMA wal_autocheckpoint = " + LOG_PAGES_AT_MOST);
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    /** Not by DriverManager: that would read service files, and keep what it finds for the life of the JVM. */
    private static Connection connect(Path path, SQLiteConfig config) throws SQLException {
        return new JDBC4Connection("jdbc:sqlite:" + path, path.toString(), config.toProperties());
    }

    /**
     * Looks whether the file is a journal that this version can go on with, and sound as far as it gets in the time given.
     *
     * @return whether all of it was looked at
     */
    boolean verify(Connection connection, Duration atMost) throws JournalException {
        try {
            long application = number(connection, "PRAGMA application_id");
            if (application != APPLICATION_ID) {
                throw new JournalException(
                        file + " is an SQLite database, but no journal of kmorph (application id " + application
                                + ", expected " + APPLICATION_ID + "). Move it away, or name another state directory");
            }
            long version = number(connection, "PRAGMA user_version");
            if (version > VERSION) {
                throw new JournalException("the journal " + file + " was written by a newer kmorph (format " + version
                        + "; this one knows up to " + VERSION
                        + "). Start that newer kmorph, or give this one another state"
                        + " directory");
            }
            if (version < 1) {
                throw failures.damaged("its format version is " + version, null);
            }
            return sound(connection, atMost);
        } catch (SQLException e) {
            throw failures.of("open", e, Long.MAX_VALUE);
        }
    }

    private boolean sound(Connection connection, Duration atMost) throws SQLException, JournalException {
        long end = System.nanoTime() + atMost.toNanos();
        boolean[] late = {false};
        ProgressHandler.setHandler(connection, STEPS_BETWEEN_PROGRESS, new ProgressHandler() {
            @Override
            protected int progress() {
                late[0] = System.nanoTime() - end > 0;
                return late[0] ? 1 : 0;
            }
        });
        try {
            String answer = text(connection, "PRAGMA quick_check(1)");
            if (!answer.equals("ok")) {
                throw failures.damaged(answer.replace('\n', ' ').trim(), null);
            }
            return true;
        } catch (SQLException e) {
            if (late[0]) {
                return false;
            }
            throw e;
        } finally {
            ProgressHandler.clearHandler(connection);
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            return result.next() ? result.getLong(1) : 0;
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            return result.next() ? result.getString(1) : "";
        }
    }

    private static Path beside(Path path, String suffix) {
        return path.resolveSibling(path.getFileName() + suffix);
    }

    /** A new name in a directory is on disk only after fsync of the directory. */
    private static void synchronise(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
