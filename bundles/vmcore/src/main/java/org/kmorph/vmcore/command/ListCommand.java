// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.command;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.vmcore.Capture;
import org.kmorph.api.vmcore.VmcoreException;
import org.kmorph.api.vmcore.Vmcores;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code vmcore list}. */
@Component
public final class ListCommand implements Command {
    private static final List<Column> COLUMNS = List.of(
            Column.text("instance", "INSTANCE"),
            Column.of("at", "AT", Column.Kind.INSTANT),
            Column.of("bytes", "SIZE", Column.Kind.BYTES),
            Column.text("signature", "SIGNATURE"),
            Column.text("verdict", "VERDICT").onlyWide(),
            Column.text("path", "PATH"));

    private static final CommandSpec SPEC = CommandSpec.named("vmcore", "list")
            .summary("list the automatic captures, newest first")
            .description("Two captures of one signature are of the same bug.")
            .reads(Role.VIEWER)
            .printsData()
            .flag("verbose", "what was found too")
            .example("vmcore list", "all that are kept")
            .build();

    private final Vmcores vmcores;

    @Activate
    public ListCommand(@Reference Vmcores vmcores) {
        this.vmcores = vmcores;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        List<Map<String, Object>> rows = new ArrayList<>();
        try {
            for (Capture capture : vmcores.list()) {
                Map<String, Object> row = new LinkedHashMap<>();
                row.put("instance", capture.instance());
                row.put("at", capture.at());
                row.put("bytes", capture.bytes());
                if (!capture.signature().isEmpty()) {
                    row.put("signature", capture.signature());
                }
                row.put("verdict", capture.verdict());
                row.put("path", capture.path());
                rows.add(row);
            }
        } catch (VmcoreException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
        context.print(Output.rows(COLUMNS, rows).wide(context.flag("verbose")));
        return ExitCode.DONE;
    }
}
