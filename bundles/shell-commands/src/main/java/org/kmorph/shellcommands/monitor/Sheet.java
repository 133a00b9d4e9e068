// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.HealthMonitor.Windows;
import org.kmorph.api.health.Heartbeat;
import org.kmorph.shellcommands.engine.Cells;
import org.kmorph.shellcommands.instances.InstanceView;

/**
 * All about one instance on one screen: a pure function of what there is to show.
 *
 * @param columns the width of the screen
 * @param rows its height
 */
record Sheet(int columns, int rows, Palette palette) {
    private static final int LABEL = 12;
    private static final int FIGURE = 10;

    /** @param changes what happened to it, the newest last */
    List<AttributedString> lines(String name, Optional<Row> row, long nowNanos, List<Change> changes) {
        List<AttributedString> lines = new ArrayList<>();
        if (row.isPresent()) {
            about(lines, row.get(), nowNanos);
        } else {
            lines.add(
                    line().styled(palette.title(), name).append("  is no more").toAttributedString());
        }
        lines.add(AttributedString.EMPTY);
        int room = Math.max(0, rows - lines.size() - 1);
        Board cutting = new Board(columns, rows, palette);
        changes.subList(Math.max(0, changes.size() - room), changes.size())
                .forEach(change -> lines.add(cutting.change(change)));
        while (lines.size() < rows - 1) {
            lines.add(AttributedString.EMPTY);
        }
        lines.add(line().styled(palette.title(), "q quit").toAttributedString());
        return lines.stream().limit(rows).map(this::cut).toList();
    }

    private void about(List<AttributedString> lines, Row row, long nowNanos) {
        lines.add(line().styled(palette.title(), row.name())
                .append("  ")
                .styled(palette.of(row.health()), row.health().toString())
                .append("  ")
                .append(Cells.text(Kind.TEXT, row.remark()))
                .toAttributedString());
        field(
                lines,
                "state",
                row.instance().state() + " since "
                        + Cells.text(Kind.INSTANT, row.instance().since()));
        field(lines, "kernel", InstanceView.release(row.instance(), row.report()));
        row.heartbeat().ifPresent(beat -> heartbeat(lines, beat, nowNanos));
        row.report().ifPresent(report -> figures(lines, report));
    }

    private void heartbeat(List<AttributedString> lines, Heartbeat beat, long nowNanos) {
        field(lines, "heard", Cells.text(Kind.MILLIS, (nowNanos - beat.receivedNanos()) / 1e6) + " ago");
        field(lines, "uptime", Cells.text(Kind.MILLIS, beat.uptimeMillis()));
        field(lines, "agent", beat.agentState() + ", its workload: " + beat.workloadState());
        field(
                lines,
                "memory",
                Cells.text(Kind.BYTES, beat.memoryAvailableBytes()) + " of "
                        + Cells.text(Kind.BYTES, beat.memoryTotalBytes()) + " available");
    }

    private void figures(List<AttributedString> lines, HealthReport report) {
        field(lines, "policy", report.policy());
        field(lines, "heartbeats", report.sent() + " sent, " + report.missed() + " without an answer in time");
        lines.add(AttributedString.EMPTY);
        lines.add(line().styled(palette.heading(), headings()).toAttributedString());
        report.windows().forEach((metric, windows) -> lines.add(figures(metric, windows)));
    }

    private static String headings() {
        StringBuilder text = new StringBuilder(" ".repeat(LABEL));
        for (String title : List.of("LAST", "1 MIN", "5 MIN", "15 MIN", "PEAK")) {
            text.append(right(title));
        }
        return text.toString();
    }

    private AttributedString figures(String metric, Windows windows) {
        AttributedStringBuilder line = line().append(label(metric));
        for (double value :
                List.of(windows.last(), windows.mean1(), windows.mean5(), windows.mean15(), windows.peak())) {
            line.append(right(figure(metric, value)));
        }
        int room = Math.max(0, Math.min(60, columns - line.columnLength() - 2));
        double top = metric.equals(Row.CPU) ? 1 : Sparkline.top(windows.recent(), room);
        return line.append("  ")
                .styled(palette.spark(), Sparkline.of(windows.recent(), top, room))
                .toAttributedString();
    }

    /** By the units of {@link HealthReport#windows}. */
    private static String figure(String metric, double value) {
        return switch (metric) {
            case Row.CPU -> Cells.text(Kind.RATIO, value);
            case Row.RTT -> Cells.text(Kind.MILLIS, value);
            case "memory" -> Cells.text(Kind.BYTES, value);
            case "io" -> Cells.text(Kind.MILLIS, value / 1000);
            default -> String.format(Locale.ROOT, "%.3f", value);
        };
    }

    private void field(List<AttributedString> lines, String name, String value) {
        lines.add(
                line().append(label(name)).append(Cells.text(Kind.TEXT, value)).toAttributedString());
    }

    private static String label(String text) {
        return text + " ".repeat(Math.max(1, LABEL - text.length()));
    }

    private static String right(String text) {
        return " ".repeat(Math.max(1, FIGURE - text.length())) + text;
    }

    private static AttributedStringBuilder line() {
        return new AttributedStringBuilder();
    }

    private AttributedString cut(AttributedString line) {
        return line.columnLength() <= columns ? line : line.columnSubSequence(0, columns);
    }
}
