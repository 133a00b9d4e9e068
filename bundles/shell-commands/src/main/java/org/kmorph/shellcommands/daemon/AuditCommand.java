// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.api.command.Column;
import org.kmorph.api.command.Column.Kind;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.shellcommands.engine.Audit;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code audit}. */
@Component
public final class AuditCommand implements Command {
    private static final int DEFAULT_LIMIT = 1_000;

    private static final List<Column> COLUMNS = List.of(
            Column.of("time", "TIME", Kind.INSTANT),
            Column.text("caller", "CALLER"),
            Column.text("role", "ROLE"),
            Column.text("door", "DOOR"),
            Column.text("origin", "ORIGIN"),
            Column.text("result", "RESULT"),
            Column.text("words", "WORDS"),
            Column.of("sequence", "RECORD", Kind.NUMBER).onlyWide());

    private static final CommandSpec SPEC = CommandSpec.named("audit")
            .summary("show who changed what")
            .description(
                    """
                    Each changing command has a record when it begins (result "begun") and one when it ends; one without the second was \
                    cut off with the daemon. Refused ones are there too.""")
            .reads(Role.ADMIN)
            .printsData()
            .option("since", ValueType.INSTANT, "TIME", "only from then on")
            .option("caller", ValueType.TEXT, "NAME", "only of this caller")
            .option(
                    "limit",
                    ValueType.INTEGER,
                    "N",
                    "at most the newest so many, 1 to 100000",
                    Integer.toString(DEFAULT_LIMIT))
            .example("audit --since=1h", "the last hour")
            .build();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Journal journal;

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException {
        long limit = context.integer("limit").orElseThrow();
        if (limit < 1 || limit > Query.MAX_LIMIT) {
            throw new CommandException(ExitCode.USAGE, "--limit is " + limit + "; expected 1 to " + Query.MAX_LIMIT);
        }
        Query query = Query.all().kind(Audit.KIND).newest((int) limit);
        List<JournalRecord> records =
                journal.read(context.instant("since").map(query::since).orElse(query));
        List<Map<String, Object>> rows = new ArrayList<>();
        for (JournalRecord record : records) {
            Map<String, String> fields = record.entry().fields();
            if (context.optionalText("caller").map(fields.get("caller")::equals).orElse(true)) {
                rows.add(row(record, fields));
            }
        }
        context.print(Output.rows(COLUMNS, rows));
        return ExitCode.DONE;
    }

    private static Map<String, Object> row(JournalRecord record, Map<String, String> fields) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("time", record.time());
        for (String name : List.of("caller", "role", "door", "origin", "result", "words")) {
            row.put(name, fields.getOrDefault(name, ""));
        }
        row.put("sequence", record.sequence());
        return row;
    }
}
