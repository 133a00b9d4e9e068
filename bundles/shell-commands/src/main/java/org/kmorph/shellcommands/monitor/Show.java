// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.kmorph.api.command.CallerTerminal;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.time.TimeSource;
import org.kmorph.shellcommands.engine.Cells;
import org.kmorph.shellcommands.instances.Names;

/**
 * One call of {@code monitor}.
 *
 * @param instances who there is, asked for each time: the bundle behind it may be replaced meanwhile
 * @param health how they are, likewise
 * @param closing whether this bundle itself is being replaced, so that it has to end
 */
record Show(Supplier<Instances> instances, Supplier<HealthMonitor> health, TimeSource time, BooleanSupplier closing) {
    static final String INSTANCE = "instance";
    static final String SORT = "sort";

    /** How often it is looked whether the bundle is being replaced. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    ExitCode run(CommandContext context, Changes changes) throws CommandException, IOException, InterruptedException {
        Optional<String> only = context.optionalText(INSTANCE);
        if (only.isPresent()) {
            Names.find(instances.get(), only.get());
        }
        boolean table = context.text("output").equals("table");
        Optional<CallerTerminal> terminal = table ? context.terminal() : Optional.empty();
        if (terminal.isPresent() && Screen.canDrawOn(terminal.get())) {
            SortKey sort = SortKey.of(context.text(SORT));
            draw(context, terminal.get(), new Dashboard(instances, health, time, changes, only, sort));
        } else {
            print(context, changes, only, table);
        }
        if (closing.getAsBoolean()) {
            throw new CommandException(
                    ExitCode.FAILED, "the bundle that shows this is being replaced; call `monitor` again");
        }
        return ExitCode.DONE;
    }

    private void draw(CommandContext context, CallerTerminal terminal, Dashboard dashboard) throws IOException {
        try {
            dashboard.show(context, terminal, closing);
        } catch (InterruptedException e) {
            // Ctrl-C is how people leave it where the terminal makes a signal of it; nothing was begun that could be
            // cancelled
            context.err().flush();
        }
    }

    /** Ends with the one instance, if it is only about one. */
    private void print(CommandContext context, Changes changes, Optional<String> only, boolean table)
            throws InterruptedException {
        health.get().reports().stream()
                .filter(report -> wanted(only, report.instance()))
                .map(this::present)
                .forEach(change -> print(context, change, table));
        boolean over = false;
        while (!over && !closing.getAsBoolean()) {
            Optional<Change> next = changes.next(LOOK_NANOS).filter(change -> wanted(only, change.instance()));
            next.ifPresent(change -> print(context, change, table));
            over = only.isPresent() && next.filter(Change::last).isPresent();
            long dropped = changes.takeDropped();
            if (dropped > 0) {
                context.err()
                        .println("kmorph: " + dropped + " changes are not shown: they came faster than they were read;"
                                + " `list` shows how things are");
            }
        }
    }

    private static boolean wanted(Optional<String> only, String instance) {
        return only.isEmpty() || only.get().equals(instance);
    }

    private Change present(HealthReport report) {
        return new Change(time.now(), report.instance(), Change.HEALTH, report.health() + ": " + report.reason());
    }

    private static void print(CommandContext context, Change change, boolean table) {
        if (table) {
            context.out()
                    .println(String.join(
                            "  ",
                            Cells.text(Kind.INSTANT, change.at()),
                            change.instance(),
                            change.kind(),
                            Cells.text(Kind.TEXT, change.text())));
            context.out().flush();
        } else {
            context.print(Output.one(Change.COLUMNS, change.row()));
        }
    }
}
