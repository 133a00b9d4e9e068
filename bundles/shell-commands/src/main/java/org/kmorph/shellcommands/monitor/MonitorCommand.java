// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.time.TimeSource;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code monitor}: full screen on a terminal, elsewhere a line for each change. */
@Component
public final class MonitorCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("monitor")
            .summary("watch instances live")
            .reads(Role.VIEWER)
            .printsData()
            .option(Show.INSTANCE, ValueType.TEXT, "NAME", "only this one, with all its figures")
            .choice(
                    Show.SORT,
                    "what comes first on a terminal",
                    SortKey.HEALTH.word(),
                    Stream.of(SortKey.values()).map(SortKey::word).toArray(String[]::new))
            .example("monitor", "all instances, full screen; q or Ctrl-C leaves, the last line names the other keys")
            .example("monitor --instance=web", "one of them, with its figures over time")
            .example("monitor | tee changes.log", "one line for each change")
            .build();

    private final BundleContext bundle;
    private final TimeSource time;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Instances instances;

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile HealthMonitor health;

    private volatile boolean closing;

    @Activate
    public MonitorCommand(BundleContext bundle, @Reference TimeSource time) {
        this.bundle = bundle;
        this.time = time;
    }

    /** Those that watch would hold up the replacing of the bundle for ever. */
    @Deactivate
    void stop() {
        closing = true;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException, InterruptedException {
        Show show = new Show(() -> this.instances, () -> this.health, time, () -> this.closing);
        try (Changes changes = new Changes(time::now)) {
            changes.listen(bundle);
            return show.run(context, changes);
        }
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(Show.INSTANCE) ? Names.beginning(instances, prefix) : List.of();
    }
}
