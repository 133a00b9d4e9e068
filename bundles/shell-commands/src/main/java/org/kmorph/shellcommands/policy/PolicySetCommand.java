// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import java.util.List;
import java.util.Optional;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicyException;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code policy set SETTING NAME VALUE}. */
@Component
public final class PolicySetCommand implements Command {
    private static final String VALUE = "VALUE";

    private static final CommandSpec SPEC = CommandSpec.named("policy", "set")
            .summary("set a policy value for one instance")
            .description(
                    """
                    It counts at once, and for as long as it is set: also for an instance of the same name that is spawned later. `policy \
                    show --verbose` lists the settings and what they take.""")
            .changes(Role.OPERATOR)
            .parameter(Settings.SETTING, ValueType.TEXT, "which setting")
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .parameter(VALUE, ValueType.TEXT, "its value")
            .example("policy set heartbeat-timeout web 300ms", "web has failed when it is silent for so long")
            .example("policy set auto-heal web disabled", "web is watched, and not healed")
            .build();

    private final Policies policies;
    private final Instances instances;

    @Activate
    public PolicySetCommand(@Reference Policies policies, @Reference Instances instances) {
        this.policies = policies;
        this.instances = instances;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        String name = Names.find(instances, context.text(Names.NAME)).name();
        try {
            policies.set(Optional.of(name), context.text(Settings.SETTING), context.text(VALUE));
            return ExitCode.DONE;
        } catch (PolicyException e) {
            throw Settings.failure(e);
        }
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return switch (argument) {
            case Settings.SETTING -> Settings.beginning(policies, prefix);
            case Names.NAME -> Names.beginning(instances, prefix);
            default -> List.of();
        };
    }
}
