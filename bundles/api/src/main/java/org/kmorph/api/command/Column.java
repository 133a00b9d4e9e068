// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

/**
 * A field of printed data: its stable name in JSON and YAML, its title in a table, and how a person reads it.
 *
 * @param key lower case with underscores, unit last where the kind does not say it: {@code memory_bytes}
 * @param title {@code MEMORY}
 * @param kind how a table shows it
 * @param wide whether only {@code --verbose} tables show it; JSON and YAML always do
 */
public record Column(String key, String title, Kind kind, boolean wide) {

    /** How a table shows a value; JSON and YAML always carry it whole. */
    public enum Kind {
        TEXT,
        NUMBER,
        /** Bytes, shown as {@code 1.5 GiB}. */
        BYTES,
        /** Milliseconds, shown as {@code 1.2 s}. */
        MILLIS,
        /** A ratio from 0 to 1, shown as {@code 42 %}. */
        RATIO,
        /** An {@link java.time.Instant}, ISO 8601 with zone everywhere. */
        INSTANT
    }

    public static Column text(String key, String title) {
        return new Column(key, title, Kind.TEXT, false);
    }

    public static Column of(String key, String title, Kind kind) {
        return new Column(key, title, kind, false);
    }

    /** The same column, shown by verbose tables alone. */
    public Column onlyWide() {
        return new Column(key, title, kind, true);
    }
}
