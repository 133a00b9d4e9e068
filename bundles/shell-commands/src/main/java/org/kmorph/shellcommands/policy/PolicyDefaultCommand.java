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
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicyException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code policy default SETTING VALUE}. */
@Component
public final class PolicyDefaultCommand implements Command {
    private static final String VALUE = "VALUE";

    private static final CommandSpec SPEC = CommandSpec.named("policy", "default")
            .summary("set a policy value for all instances that have none of their own")
            .changes(Role.OPERATOR)
            .parameter(Settings.SETTING, ValueType.TEXT, "which setting")
            .parameter(VALUE, ValueType.TEXT, "its value")
            .example("policy default profile development", "be patient with all: a minute of silence is allowed")
            .example("policy default heartbeat-timeout 5s", "or five seconds, whatever the profile")
            .build();

    private final Policies policies;

    @Activate
    public PolicyDefaultCommand(@Reference Policies policies) {
        this.policies = policies;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        try {
            policies.set(Optional.empty(), context.text(Settings.SETTING), context.text(VALUE));
            return ExitCode.DONE;
        } catch (PolicyException e) {
            throw Settings.failure(e);
        }
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(Settings.SETTING) ? Settings.beginning(policies, prefix) : List.of();
    }
}
