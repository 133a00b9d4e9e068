// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.recovery;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
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
import org.kmorph.api.instance.Instances;
import org.kmorph.api.recovery.Recoveries;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code recovery-log}. */
@Component
public final class RecoveryLogCommand implements Command {
    private static final List<Column> COLUMNS = List.of(
            Column.of("begun", "BEGUN", Kind.INSTANT),
            Column.text("instance", "INSTANCE"),
            Column.of("id", "ID", Kind.NUMBER),
            Column.text("cause", "CAUSE"),
            Column.text("state", "STATE"),
            Column.of("took_ms", "TOOK MS", Kind.NUMBER),
            Column.text("by", "BY"),
            Column.text("reason", "REASON"),
            Column.text("signature", "SIGNATURE"),
            Column.text("outcome", "OUTCOME"),
            Column.text("operation", "OPERATION").onlyWide(),
            Column.text("steps", "STEPS").onlyWide(),
            Column.text("evidence", "EVIDENCE").onlyWide());

    private static final CommandSpec SPEC = CommandSpec.named("recovery-log")
            .summary("show what was healed, how, and how long each step took")
            .description(
                    """
                    With -o json each recovery has its steps, with the time at which each began and how long it took, and the evidence: \
                    what was known of the instance when it failed. Where its memory was saved, the signature tells whether two failures are of one bug.""")
            .reads(Role.VIEWER)
            .printsData()
            .option("instance", ValueType.TEXT, "NAME", "only of this instance")
            .option("since", ValueType.INSTANT, "TIME", "only what was under way from then on")
            .example("recovery-log --since=1h", "the last hour")
            .example("recovery-log --instance=web -o json", "everything that is known, for programs")
            .build();

    private final Instances instances;
    private final Recoveries recoveries;

    @Activate
    public RecoveryLogCommand(@Reference Instances instances, @Reference Recoveries recoveries) {
        this.instances = instances;
        this.recoveries = recoveries;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (RecoveryReport report : recoveries.log(context.optionalText("instance"), context.instant("since"))) {
            rows.add(row(report));
        }
        context.print(Output.rows(COLUMNS, rows));
        return ExitCode.DONE;
    }

    private static Map<String, Object> row(RecoveryReport report) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("begun", report.begun());
        row.put("instance", report.instance());
        row.put("id", report.instanceId());
        row.put("cause", report.cause());
        row.put("state", report.state().name());
        report.ended()
                .ifPresent(ended -> row.put(
                        "took_ms", Duration.between(report.begun(), ended).toMillis()));
        row.put("by", report.by());
        row.put("reason", report.reason());
        String signature = report.evidence().get("crash_signature");
        if (signature != null) {
            row.put("signature", signature);
        }
        row.put("outcome", report.steps().get(report.steps().size() - 1).detail());
        row.put("operation", report.operation());
        row.put("steps", steps(report));
        row.put("evidence", new TreeMap<>(report.evidence()));
        return row;
    }

    /** Each state with the time that it took; the present one has none yet. */
    private static List<Map<String, Object>> steps(RecoveryReport report) {
        List<Map<String, Object>> steps = new ArrayList<>();
        for (int index = 0; index < report.steps().size(); index++) {
            RecoveryReport.Step step = report.steps().get(index);
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("state", step.state().name());
            one.put("at", step.at());
            if (index + 1 < report.steps().size()) {
                Instant next = report.steps().get(index + 1).at();
                one.put("took_ms", Duration.between(step.at(), next).toMillis());
            }
            one.put("detail", step.detail());
            steps.add(one);
        }
        return steps;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals("instance") ? Names.beginning(instances, prefix) : List.of();
    }
}
