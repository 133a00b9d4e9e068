// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.io.PrintStream;
import java.util.Locale;
import org.kmorph.api.command.Progress;

/** A bar on a terminal's last line: what, how far, at which rate, how long still. Thread-safe. */
final class ProgressBar implements Progress {
    private static final long BETWEEN_DRAWS_NANOS = 100_000_000;
    private static final int WIDTH = 24;
    private static final String ERASE_LINE = "\r\033[K";

    private final PrintStream terminal;
    private final String what;
    private final long startNanos = System.nanoTime();
    private String note = "";
    private long drawnNanos = startNanos - BETWEEN_DRAWS_NANOS;
    private long done;
    private long total = -1;
    private String unit = "";

    ProgressBar(PrintStream terminal, String what) {
        this.terminal = terminal;
        this.what = what;
    }

    @Override
    public synchronized void update(long newDone, long newTotal, String newUnit) {
        done = newDone;
        total = newTotal;
        unit = newUnit;
        drawSometimes();
    }

    @Override
    public synchronized void note(String text) {
        note = text;
        drawSometimes();
    }

    private void drawSometimes() {
        long now = System.nanoTime();
        if (now - drawnNanos >= BETWEEN_DRAWS_NANOS) {
            drawnNanos = now;
            terminal.print(ERASE_LINE + line((now - startNanos) / 1e9));
            terminal.flush();
        }
    }

    private String line(double seconds) {
        StringBuilder line = new StringBuilder(what);
        if (total > 0) {
            int filled = (int) (WIDTH * Math.min(1.0, (double) done / total));
            line.append(" [")
                    .append("=".repeat(filled))
                    .append(" ".repeat(WIDTH - filled))
                    .append(']');
            line.append(String.format(Locale.ROOT, " %3d%%", 100 * Math.min(done, total) / total));
        }
        if (!unit.isEmpty() && seconds > 0.5) {
            double rate = done / seconds;
            line.append("  ").append(amount(rate)).append("/s");
            if (total > 0 && rate > 0) {
                line.append(String.format(Locale.ROOT, "  %.0f s left", Math.max(0, (total - done) / rate)));
            }
        }
        return note.isEmpty() ? line.toString() : line.append("  ").append(note).toString();
    }

    private String amount(double value) {
        return unit.equals("B") ? Cells.bytes((long) value) : String.format(Locale.ROOT, "%.0f %s", value, unit);
    }

    @Override
    public synchronized void close() {
        terminal.print(ERASE_LINE);
        terminal.flush();
    }
}
