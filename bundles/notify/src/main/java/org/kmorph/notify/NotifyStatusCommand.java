// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code notify status}. */
@Component
public final class NotifyStatusCommand implements Command {
    private static final List<Column> COLUMNS = List.of(
            Column.text("outlet", "OUTLET"),
            Column.of("delivered", "DELIVERED", Column.Kind.NUMBER),
            Column.of("failed", "FAILED", Column.Kind.NUMBER),
            Column.of("waiting", "WAITING", Column.Kind.NUMBER),
            Column.of("dropped", "DROPPED", Column.Kind.NUMBER),
            Column.of("last", "LAST", Column.Kind.INSTANT),
            Column.text("problem", "PROBLEM"));

    private static final CommandSpec SPEC = CommandSpec.named("notify", "status")
            .summary("show what became of the events that hooks and the webhook were told")
            .description("Counts are since the notify bundle was started. The log says more of each that failed.")
            .reads(Role.VIEWER)
            .printsData()
            .example("notify status", "what was delivered, and what is wrong")
            .build();

    private final Notifier notifier;

    @Activate
    public NotifyStatusCommand(@Reference Notifier notifier) {
        this.notifier = notifier;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Outlet.Status status : notifier.status()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("outlet", status.outlet());
            row.put("delivered", status.delivered());
            row.put("failed", status.failed());
            row.put("waiting", status.waiting());
            row.put("dropped", status.dropped());
            status.last().ifPresent(last -> row.put("last", last));
            status.problem().ifPresent(problem -> row.put("problem", problem));
            rows.add(row);
        }
        context.print(Output.rows(COLUMNS, rows));
        return ExitCode.DONE;
    }
}
