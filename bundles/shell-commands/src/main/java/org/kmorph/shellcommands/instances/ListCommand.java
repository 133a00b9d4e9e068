// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
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

/** {@code list}. */
@Component
public final class ListCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("list")
            .summary("show the instances there are")
            .reads(Role.VIEWER)
            .printsData()
            .flag("verbose", "show more of each")
            .example("list", "name, state, health and kernel of each")
            .example("list --verbose -o json", "all that is known, for programs")
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
    public ListCommand(@Reference Instances instances, @Reference HealthMonitor health, @Reference TimeSource time) {
        this.instances = instances;
        this.health = health;
        this.time = time;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        List<Map<String, Object>> rows = instances.list().stream()
                .map(instance -> InstanceView.row(
                        instance, report(instance), Names.morph(morphs, instance.name()), time.nanos()))
                .toList();
        context.print(Output.rows(InstanceView.COLUMNS, rows).wide(context.flag("verbose")));
        return ExitCode.DONE;
    }

    private Optional<HealthMonitor.HealthReport> report(Instance instance) {
        return health.report(instance.name());
    }
}
