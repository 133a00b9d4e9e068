// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import java.util.List;
import java.util.Map;

/**
 * Data that a command prints. A value is a String, Boolean, Integer, Long, Double, enum, Instant, Path, or a List or Map of
 * such; a key whose value is not known is left out of its map. Maps keep their order.
 *
 * @param columns the fields in the order of printing; every key of a row has one
 * @param rows the records
 * @param list whether JSON is an array of records ({@code list}), or one record ({@code status})
 * @param wide whether tables show the {@link Column#wide} columns
 */
public record Output(List<Column> columns, List<Map<String, Object>> rows, boolean list, boolean wide) {

    public Output {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
        if (!list && rows.size() != 1) {
            throw new IllegalArgumentException("one record was expected, not " + rows.size());
        }
    }

    /** Records in a table. */
    public static Output rows(List<Column> columns, List<Map<String, Object>> rows) {
        return new Output(columns, rows, true, false);
    }

    /** One record; a table shows a line for each field. */
    public static Output one(List<Column> columns, Map<String, Object> record) {
        return new Output(columns, List.of(record), false, true);
    }

    /** The same with the wide columns shown. */
    public Output wide(boolean shown) {
        return new Output(columns, rows, list, shown);
    }
}
