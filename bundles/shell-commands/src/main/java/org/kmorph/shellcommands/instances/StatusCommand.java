// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.time.TimeSource;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code status NAME}. */
@Component
public final class StatusCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("status")
            .summary("show one instance whole")
            .reads(Role.VIEWER)
            .printsData()
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .example("status web", "everything that is known of web")
            .build();

    private final Instances instances;
    private final HealthMonitor health;
    private final TimeSource time;

    /** None while the bundle is replaced: what there is of instances is shown all the same. */
    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile List<Morphs> morphs = List.of();

    @Activate
    public StatusCommand(@Reference Instances instances, @Reference HealthMonitor health, @Reference TimeSource time) {
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
        context.print(Output.one(
                InstanceView.COLUMNS,
                InstanceView.row(
                        instance, health.report(instance.name()), Names.morph(morphs, instance.name()), time.nanos())));
        return ExitCode.DONE;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return Names.beginning(instances, prefix);
    }
}
