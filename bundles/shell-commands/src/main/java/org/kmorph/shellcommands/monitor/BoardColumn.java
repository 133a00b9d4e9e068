// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jline.utils.AttributedStyle;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.shellcommands.engine.Cells;
import org.kmorph.shellcommands.instances.InstanceView;

/** The columns of the dashboard, from left to right. Where a terminal is narrow the least important are left out. */
enum BoardColumn {
    NAME(0, 20, false, Row::name),
    ID(6, 4, true, row -> String.valueOf(row.instance().id())),
    STATE(3, 9, false, row -> row.instance().state().toString()),
    HEALTH(0, 10, false, row -> row.health().toString(), (row, palette) -> palette.of(row.health())),
    CPU(0, 5, true, row -> figure(Kind.RATIO, row.cpu())),
    CPU_LINE(1, 12, false, row -> Sparkline.of(row.recent(Row.CPU), 1, 12), (row, palette) -> palette.spark()),
    MEMORY(4, 6, true, row -> figure(Kind.RATIO, row.memory())),
    RTT(0, 9, true, row -> figure(Kind.MILLIS, row.roundTripMillis())),
    RTT_LINE(2, 12, false, BoardColumn::roundTrips, (row, palette) -> palette.spark()),
    MISSED(5, 6, true, row -> String.valueOf(row.missed())),
    KERNEL(7, 24, false, row -> InstanceView.release(row.instance(), row.report()));

    /** One blank between two of them. */
    private static final int GAP = 1;

    private final int rank;
    private final int width;
    private final boolean right;
    private final Function<Row, String> text;
    private final BiFunction<Row, Palette, AttributedStyle> style;

    BoardColumn(int rank, int width, boolean right, Function<Row, String> text) {
        this(rank, width, right, text, (row, palette) -> AttributedStyle.DEFAULT);
    }

    BoardColumn(
            int rank,
            int width,
            boolean right,
            Function<Row, String> text,
            BiFunction<Row, Palette, AttributedStyle> style) {
        this.rank = rank;
        this.width = width;
        this.right = right;
        this.text = text;
        this.style = style;
    }

    private static String figure(Kind kind, OptionalDouble value) {
        return value.isPresent() ? Cells.text(kind, value.getAsDouble()) : "-";
    }

    /** Against the slowest of those that are shown: what stands out is what took longer than the others. */
    private static String roundTrips(Row row) {
        List<Double> recent = row.recent(Row.RTT);
        return Sparkline.of(recent, Sparkline.top(recent, 12), 12);
    }

    /** Those for which there is room, in their order. */
    static List<BoardColumn> fitting(int columns) {
        List<BoardColumn> chosen = new ArrayList<>();
        int used = 0;
        for (BoardColumn column : Stream.of(values())
                .sorted(Comparator.comparingInt((BoardColumn one) -> one.rank))
                .toList()) {
            if (column.rank > 0 && used + column.width + GAP > columns) {
                break;
            }
            chosen.add(column);
            used += column.width + GAP;
        }
        chosen.sort(Comparator.naturalOrder());
        return chosen;
    }

    String title() {
        return pad(this == CPU_LINE || this == RTT_LINE ? "" : name());
    }

    String text(Row row) {
        return pad(Cells.text(Kind.TEXT, text.apply(row)));
    }

    AttributedStyle style(Row row, Palette palette) {
        return style.apply(row, palette);
    }

    private String pad(String value) {
        if (value.length() > width) {
            return value.substring(0, width - 1) + "…";
        }
        String blanks = " ".repeat(width - value.length());
        return right ? blanks + value : value + blanks;
    }
}
