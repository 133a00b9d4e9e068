// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.command.Output;

/** Prints data for people: records below their titles, or one record as a line for each field. */
final class TablePrinter implements Printer {
    private static final String GAP = "  ";
    private static final String BOLD = "\033[1m";
    private static final String PLAIN = "\033[0m";
    private static final Set<Kind> RIGHT = Set.of(Kind.NUMBER, Kind.BYTES, Kind.MILLIS, Kind.RATIO);

    private final PrintStream out;
    private final boolean colour;

    TablePrinter(PrintStream out, boolean colour) {
        this.out = out;
        this.colour = colour;
    }

    @Override
    public void print(Output output) {
        List<Column> columns = output.columns().stream()
                .filter(column -> output.wide() || !column.wide())
                .toList();
        if (output.list()) {
            table(columns, output.rows());
        } else {
            fields(columns, output.rows().get(0));
        }
        out.flush();
    }

    private void table(List<Column> columns, List<Map<String, Object>> rows) {
        int[] widths = new int[columns.size()];
        for (int i = 0; i < widths.length; i++) {
            Column column = columns.get(i);
            widths[i] = Math.max(
                    column.title().length(),
                    rows.stream()
                            .mapToInt(row -> cell(column, row).length())
                            .max()
                            .orElse(0));
        }
        StringBuilder titles = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            append(titles, columns.get(i), columns.get(i).title(), widths[i]);
        }
        out.println(bold(titles.toString().stripTrailing()));
        for (Map<String, Object> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                append(line, columns.get(i), cell(columns.get(i), row), widths[i]);
            }
            out.println(line.toString().stripTrailing());
        }
    }

    private static void append(StringBuilder line, Column column, String text, int width) {
        String padding = " ".repeat(width - text.length());
        line.append(line.isEmpty() ? "" : GAP);
        line.append(RIGHT.contains(column.kind()) ? padding + text : text + padding);
    }

    private void fields(List<Column> columns, Map<String, Object> row) {
        int width = columns.stream()
                .filter(column -> row.containsKey(column.key()))
                .mapToInt(column -> column.title().length())
                .max()
                .orElse(0);
        for (Column column : columns) {
            if (row.containsKey(column.key())) {
                String padding = " ".repeat(width - column.title().length());
                out.println((bold(column.title()) + padding + GAP + cell(column, row)).stripTrailing());
            }
        }
    }

    private static String cell(Column column, Map<String, Object> row) {
        return row.containsKey(column.key()) ? Cells.text(column.kind(), row.get(column.key())) : "-";
    }

    private String bold(String text) {
        return colour ? BOLD + text + PLAIN : text;
    }
}
