// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

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
import org.kmorph.api.daemon.Configurations;
import org.kmorph.api.daemon.Configurations.Change;
import org.kmorph.api.daemon.Configurations.Outcome;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code daemon reload}. */
@Component
public final class DaemonReloadCommand implements Command {
    private static final List<Column> COLUMNS =
            List.of(Column.text("file", "FILE"), Column.text("outcome", "OUTCOME"), Column.text("detail", "DETAIL"));

    private static final CommandSpec SPEC = CommandSpec.named("daemon", "reload")
            .summary("apply changed configuration files")
            .description(
                    """
                    Says of each file of etc/ that has changed what became of it. A file with a value that is not accepted is refused \
                    whole, and what was in force stays; the exit code is then 1.""")
            .changes(Role.ADMIN)
            .printsData()
            .example("daemon reload", "after editing files in etc/")
            .build();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Configurations configurations;

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        List<Change> changes = configurations.reload();
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Change change : changes) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("file", change.file());
            row.put("outcome", change.outcome());
            row.put("detail", change.detail());
            rows.add(row);
        }
        context.print(Output.rows(COLUMNS, rows));
        if (changes.isEmpty()) {
            context.err().println("nothing has changed");
        }
        return changes.stream().anyMatch(change -> change.outcome() == Outcome.REFUSED)
                ? ExitCode.FAILED
                : ExitCode.DONE;
    }
}
