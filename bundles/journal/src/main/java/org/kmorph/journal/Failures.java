// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import org.kmorph.api.journal.JournalException;

/** Turns what SQLite says (result codes: https://www.sqlite.org/rescode.html) into sentences that name the way out. */
final class Failures {
    private static final int ERROR_CODE_MASK = 0xff;
    private static final int PERM = 3;
    private static final int BUSY = 5;
    private static final int LOCKED = 6;
    private static final int READONLY = 8;
    private static final int IOERR = 10;
    private static final int CORRUPT = 11;
    private static final int FULL = 13;
    private static final int CANTOPEN = 14;
    private static final int NOTADB = 26;

    /** With so much free, a write fails for another reason than the disk. */
    private static final long PLENTY_BYTES = 4 << 20;

    private final Path file;

    Failures(Path file) {
        this.file = file;
    }

    /** What stopped the journal from doing something: {@code "write to"}, {@code "read"}. */
    JournalException of(String verb, SQLException cause, long maxBytes) {
        String cannot = "cannot " + verb + " the journal " + file + ": ";
        return switch (cause.getErrorCode() & ERROR_CODE_MASK) {
            case FULL -> new JournalException(cannot + full(maxBytes), cause);
            case IOERR ->
                new JournalException(
                        cannot + "the disk failed (" + cause.getMessage() + "; " + free()
                                + "). Look at the kernel's log for errors of the device; then try again",
                        cause);
            case CORRUPT, NOTADB -> damaged(cause.getMessage(), cause);
            case BUSY, LOCKED ->
                new JournalException(
                        cannot + "another process holds it for too long. See who with: fuser " + file, cause);
            case PERM, READONLY, CANTOPEN ->
                new JournalException(
                        cannot + "no right to write to it or to its directory (" + cause.getMessage()
                                + "). Give both to the user that runs kmorphd",
                        cause);
            default -> new JournalException(cannot + cause.getMessage(), cause);
        };
    }

    /** The file is there, and is not what was written. */
    JournalException damaged(String what, Throwable cause) {
        return new JournalException(
                "the journal " + file + " is damaged (" + what
                        + "). kmorphd does not go on without its record. Stop it and put"
                        + " back a copy of " + file.getParent() + "; or save what can be read with: sqlite3 " + file
                        + " .recover | sqlite3 saved.db; or, to begin with an empty journal and lose all history and state, move "
                        + file.getParent() + " away",
                cause);
    }

    private String full(long maxBytes) {
        long size = sizeOf(file) + sizeOf(file.resolveSibling(file.getFileName() + "-wal"));
        if (size >= maxBytes / 2 && usableBytes() >= PLENTY_BYTES) {
            return "it has reached its limit of " + (maxBytes >> 20)
                    + " MiB (size.mb in etc/org.kmorph.journal.cfg), and"
                    + " there is no history left to remove. Raise the limit";
        }
        return "the disk is full (" + free() + "). Make room; the journal goes on by itself then";
    }

    private String free() {
        long bytes = usableBytes();
        return bytes < 0 ? "free space unknown" : (bytes >> 10) + " KiB free";
    }

    private long usableBytes() {
        try {
            return Files.getFileStore(file.getParent()).getUsableSpace();
        } catch (IOException e) {
            return -1;
        }
    }

    private static long sizeOf(Path path) {
        try {
            return Files.size(path);
        } catch (IOException e) {
            return 0;
        }
    }
}
