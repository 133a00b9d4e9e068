// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

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
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.time.TimeSource;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code heartbeat NAME}: what the regular heartbeats say, without sending one. */
@Component
public final class HeartbeatCommand implements Command {
    private static final List<Column> COLUMNS = List.of(
            Column.text("instance", "INSTANCE"),
            Column.text("health", "HEALTH"),
            Column.text("reason", "REASON"),
            Column.text("policy", "POLICY"),
            Column.text("troubles", "TROUBLES"),
            Column.text("kernel_answers", "KERNEL ANSWERS"),
            Column.of("sent", "SENT", Kind.NUMBER),
            Column.of("missed", "MISSED", Kind.NUMBER),
            Column.of("age_ms", "LAST HEARD", Kind.MILLIS),
            Column.of("rtt_ms", "ROUND TRIP", Kind.MILLIS),
            Column.text("agent_state", "AGENT"),
            Column.text("workload_state", "WORKLOAD"),
            Column.of("uptime_ms", "UPTIME", Kind.MILLIS),
            Column.text("boot_id", "BOOT ID"));

    private static final CommandSpec SPEC = CommandSpec.named("heartbeat")
            .summary("show what the heartbeats of an instance say")
            .reads(Role.VIEWER)
            .printsData()
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .example("heartbeat web", "when web was last heard, and what is made of it")
            .build();

    private final Instances instances;
    private final HealthMonitor health;
    private final TimeSource time;

    @Activate
    public HeartbeatCommand(
            @Reference Instances instances, @Reference HealthMonitor health, @Reference TimeSource time) {
        this.instances = instances;
        this.health = health;
        this.time = time;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        Instance instance = Names.find(instances, context.text(Names.NAME));
        context.print(Output.one(COLUMNS, row(Reports.find(health, instance))));
        return ExitCode.DONE;
    }

    private Map<String, Object> row(HealthReport report) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("instance", report.instance());
        row.put("health", report.health());
        row.put("reason", report.reason());
        row.put("policy", report.policy());
        report.kernelAnswers().ifPresent(answers -> row.put("kernel_answers", answers));
        row.put("troubles", report.troubles());
        row.put("sent", report.sent());
        row.put("missed", report.missed());
        report.lastHeartbeat().ifPresent(heartbeat -> {
            row.put("age_ms", (time.nanos() - heartbeat.receivedNanos()) / 1e6);
            row.put("rtt_ms", heartbeat.roundTripNanos() / 1e6);
            row.put("agent_state", heartbeat.agentState());
            row.put("workload_state", heartbeat.workloadState());
            row.put("uptime_ms", heartbeat.uptimeMillis());
            row.put("boot_id", String.format("%016x", heartbeat.bootId()));
        });
        return row;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return Names.beginning(instances, prefix);
    }
}
