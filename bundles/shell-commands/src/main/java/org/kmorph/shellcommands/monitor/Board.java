// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.health.Health;
import org.kmorph.shellcommands.engine.Cells;

/**
 * The full-screen table: a pure function of what there is to show.
 *
 * @param columns the width of the screen
 * @param rows its height
 */
record Board(int columns, int rows, Palette palette) {
    private static final int NEWEST_CHANGES = 3;

    /** From this height on the newest changes are shown too. */
    private static final int TALL = 14;

    /** Summary, heading and the line about keys. */
    private static final int FRAME = 3;

    /**
     * What is shown.
     *
     * @param counts how many there are, by their health
     * @param visible the rows from {@code view.top()} on
     * @param changes what happened, the newest last
     */
    record Content(int total, Map<Health, Long> counts, ViewState view, List<Row> visible, List<Change> changes) {}

    /** How many instances are shown at once. */
    int page() {
        return Math.max(1, rows - FRAME - changeLines());
    }

    private int changeLines() {
        return rows >= TALL ? NEWEST_CHANGES : 0;
    }

    List<AttributedString> lines(Content content) {
        List<BoardColumn> shown = BoardColumn.fitting(columns);
        List<AttributedString> lines = new ArrayList<>();
        lines.add(summary(content));
        lines.add(heading(shown));
        content.visible().forEach(row -> lines.add(row(shown, row)));
        while (lines.size() < FRAME - 1 + page()) {
            lines.add(AttributedString.EMPTY);
        }
        lines.addAll(changes(content.changes()));
        lines.add(keys(content));
        return lines.stream().limit(rows).toList();
    }

    private AttributedString summary(Content content) {
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.styled(palette.title(), content.total() + (content.total() == 1 ? " instance" : " instances"));
        String before = ": ";
        for (Health health :
                List.of(Health.FAILED, Health.AGENT_DEAD, Health.SUSPECT, Health.UNKNOWN, Health.HEALTHY)) {
            long count = content.counts().getOrDefault(health, 0L);
            if (count > 0) {
                line.append(before).styled(palette.of(health), count + " " + health);
                before = ", ";
            }
        }
        return cut(line);
    }

    private AttributedString heading(List<BoardColumn> shown) {
        String titles = shown.stream().map(BoardColumn::title).collect(Collectors.joining(" "));
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.styled(palette.heading(), titles + " REMARK");
        line.styled(palette.heading(), " ".repeat(Math.max(0, columns - line.columnLength())));
        return cut(line);
    }

    private AttributedString row(List<BoardColumn> shown, Row row) {
        AttributedStringBuilder line = new AttributedStringBuilder();
        for (BoardColumn column : shown) {
            line.styled(column.style(row, palette), column.text(row)).append(' ');
        }
        return cut(line.append(Cells.text(Kind.TEXT, row.remark())));
    }

    private List<AttributedString> changes(List<Change> changes) {
        int lines = changeLines();
        List<AttributedString> newest = changes.subList(Math.max(0, changes.size() - lines), changes.size()).stream()
                .map(this::change)
                .toList();
        return Stream.concat(
                        newest.stream(),
                        Stream.generate(() -> AttributedString.EMPTY).limit(lines - newest.size()))
                .toList();
    }

    AttributedString change(Change change) {
        String text = Cells.text(Kind.INSTANT, change.at()) + "  " + change.instance() + "  " + change.kind() + "  "
                + Cells.text(Kind.TEXT, change.text());
        return cut(new AttributedStringBuilder().append(text));
    }

    private AttributedString keys(Content content) {
        ViewState view = content.view();
        int last = view.top() + content.visible().size();
        String letters = Stream.of(SortKey.values())
                .map(key -> key.letter() + " " + key.word())
                .collect(Collectors.joining("  "));
        String text = String.format(
                "%d-%d of %d by %s%s   q quit  arrows, page up and down  %s",
                content.visible().isEmpty() ? 0 : view.top() + 1,
                last,
                content.total(),
                view.sort().word(),
                view.reversed() ? " reversed" : "",
                letters);
        return cut(new AttributedStringBuilder().styled(AttributedStyle.BOLD, text));
    }

    private AttributedString cut(AttributedStringBuilder line) {
        return line.columnLength() <= columns
                ? line.toAttributedString()
                : line.toAttributedString().columnSubSequence(0, columns);
    }
}
