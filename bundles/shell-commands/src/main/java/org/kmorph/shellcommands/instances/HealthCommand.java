// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.health.HealthMonitor.Windows;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.Instances;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code health NAME}. */
@Component
public final class HealthCommand implements Command {
    /** The metrics by the order in which they are shown, with their units. */
    private static final Map<String, String> UNITS = units();

    private static final List<Column> COLUMNS = List.of(
            Column.text("metric", "METRIC"),
            Column.text("unit", "UNIT"),
            Column.of("last", "LAST", Kind.NUMBER),
            Column.of("mean_1m", "1 MIN", Kind.NUMBER),
            Column.of("mean_5m", "5 MIN", Kind.NUMBER),
            Column.of("mean_15m", "15 MIN", Kind.NUMBER),
            Column.of("peak_15m", "PEAK", Kind.NUMBER));

    private static final CommandSpec SPEC = CommandSpec.named("health")
            .summary("show the figures of an instance over 1, 5 and 15 minutes")
            .reads(Role.VIEWER)
            .printsData()
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .option("metrics", ValueType.TEXT, "LIST", "only these: cpu,memory,io,rtt")
            .example("health web", "all figures")
            .example("health web --metrics=cpu,memory -o json", "two of them, for programs")
            .build();

    private final Instances instances;
    private final HealthMonitor health;

    @Activate
    public HealthCommand(@Reference Instances instances, @Reference HealthMonitor health) {
        this.instances = instances;
        this.health = health;
    }

    private static Map<String, String> units() {
        Map<String, String> units = new LinkedHashMap<>();
        units.put("cpu", "ratio");
        units.put("memory", "bytes used");
        units.put("io", "us per synced write");
        units.put("rtt", "ms");
        return units;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        Instance instance = Names.find(instances, context.text(Names.NAME));
        Set<String> wanted = wanted(context);
        HealthReport report = Reports.find(health, instance);
        context.err().println(report.health() + ": " + report.reason());
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Map.Entry<String, String> unit : UNITS.entrySet()) {
            Windows windows = report.windows().get(unit.getKey());
            // what was never measured has no figure
            if (windows != null && !windows.recent().isEmpty() && wanted.contains(unit.getKey())) {
                rows.add(row(unit.getKey(), unit.getValue(), windows));
            }
        }
        context.print(Output.rows(COLUMNS, rows));
        return ExitCode.DONE;
    }

    private static Set<String> wanted(CommandContext context) throws CommandException {
        Set<String> wanted = context.optionalText("metrics")
                .map(list -> Set.copyOf(List.of(list.split(","))))
                .orElse(UNITS.keySet());
        for (String metric : wanted) {
            if (!UNITS.containsKey(metric)) {
                throw new CommandException(
                        ExitCode.USAGE,
                        "--metrics names \"" + metric + "\"; there are " + String.join(", ", UNITS.keySet()));
            }
        }
        return wanted;
    }

    private static Map<String, Object> row(String metric, String unit, Windows windows) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("metric", metric);
        row.put("unit", unit);
        row.put("last", figure(unit, windows.last()));
        row.put("mean_1m", figure(unit, windows.mean1()));
        row.put("mean_5m", figure(unit, windows.mean5()));
        row.put("mean_15m", figure(unit, windows.mean15()));
        row.put("peak_15m", figure(unit, windows.peak()));
        return row;
    }

    /** Nobody wants fractions of a byte. */
    private static Object figure(String unit, double value) {
        return unit.startsWith("bytes") ? (Object) Math.round(value) : (Object) value;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(Names.NAME) ? Names.beginning(instances, prefix) : List.of();
    }
}
