// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jline.terminal.Size;
import org.jline.utils.AttributedString;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.time.TimeSource;

/**
 * The full-screen loop: ten frames a second, and one for each key. While the caller's terminal does not take what was drawn, nothing is
 * drawn; the next frame then shows what is true by then.
 */
final class Dashboard {
    private static final long FRAME_NANOS = 100_000_000;
    private static final long CENSUS_NANOS = 1_000_000_000;

    /** How soon a change of somebody's health may lead to another census. */
    private static final long EARLY_CENSUS_NANOS = 200_000_000;

    private static final int CHANGES_KEPT = 100;

    private final Supplier<Instances> instances;
    private final Supplier<HealthMonitor> health;
    private final TimeSource time;
    private final Changes changes;
    private final Optional<String> only;
    private final Instant begun;
    private final Deque<Change> seen = new ArrayDeque<>();
    private ViewState view;
    private Census census;
    private long censusNanos;

    /**
     * @param changes is listened to, not closed
     * @param only the one instance to show, or none for all
     */
    Dashboard(
            Supplier<Instances> instances,
            Supplier<HealthMonitor> health,
            TimeSource time,
            Changes changes,
            Optional<String> only,
            SortKey sort) {
        this.instances = instances;
        this.health = health;
        this.time = time;
        this.changes = changes;
        this.only = only;
        this.begun = time.now();
        this.view = new ViewState(sort, false, 0);
        takeCensus();
    }

    /** Shows it until the user has seen enough, or {@code closing}. */
    void show(CommandContext context, CallerTerminal terminal, BooleanSupplier closing)
            throws IOException, InterruptedException {
        Palette palette = new Palette(terminal.colour());
        try (Screen screen = new Screen(terminal, context.out());
                Keyboard keyboard = new Keyboard(context.in())) {
            boolean quit = false;
            while (!quit && !closing.getAsBoolean()) {
                long due = time.nanos() + FRAME_NANOS;
                Size size = screen.size();
                screen.draw(frame(size.getColumns(), size.getRows(), palette));
                Optional<Key> key = keyboard.next(due - time.nanos());
                key.ifPresent(pressed -> press(pressed, page(size, palette)));
                quit = key.filter(pressed -> pressed.kind() == Key.Kind.QUIT).isPresent();
            }
        }
    }

    private static int page(Size size, Palette palette) {
        return new Board(size.getColumns(), size.getRows(), palette).page();
    }

    void press(Key key, int page) {
        ViewState before = view;
        view = view.on(key, census.names().size(), page);
        if (view.sort() != before.sort() || view.reversed() != before.reversed()) {
            takeCensus();
        }
    }

    private void takeCensus() {
        census = Census.take(instances.get(), health.get(), view);
        censusNanos = time.nanos();
    }

    /** What is to be seen now. */
    List<AttributedString> frame(int columns, int rows, Palette palette) {
        boolean changed = takeChanges();
        return only.map(name ->
                        new Sheet(columns, rows, palette).lines(name, row(name), time.nanos(), List.copyOf(seen)))
                .orElseGet(() -> board(new Board(columns, rows, palette), changed));
    }

    private List<AttributedString> board(Board board, boolean changed) {
        if (time.nanos() - censusNanos >= (changed ? EARLY_CENSUS_NANOS : CENSUS_NANOS)) {
            takeCensus();
        }
        int total = census.names().size();
        view = view.within(total, board.page());
        List<Row> visible = census.names().subList(view.top(), Math.min(total, view.top() + board.page())).stream()
                .flatMap(name -> row(name).stream())
                .toList();
        return board.lines(new Board.Content(total, census.counts(), view, visible, List.copyOf(seen)));
    }

    private Optional<Row> row(String name) {
        return instances
                .get()
                .find(name)
                .map(instance -> new Row(instance, health.get().report(name)));
    }

    /** Whether there were any. What was there before this began is in the table, and no news. */
    private boolean takeChanges() {
        List<Change> news = changes.drain().stream()
                .filter(change -> !change.at().isBefore(begun))
                .filter(change -> only.isEmpty() || only.get().equals(change.instance()))
                .toList();
        for (Change change : news) {
            seen.addLast(change);
            if (seen.size() > CHANGES_KEPT) {
                seen.removeFirst();
            }
        }
        return !news.isEmpty();
    }
}
