// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import java.util.List;
import java.util.Map;
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
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code policy unset SETTING [NAME]}. */
@Component
public final class PolicyUnsetCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("policy", "unset")
            .summary("forget a policy value that was set")
            .changes(Role.OPERATOR)
            .parameter(Settings.SETTING, ValueType.TEXT, "which setting")
            .optionalParameter(Names.NAME, ValueType.TEXT, "the instance; without it: the value for all")
            .example("policy unset heartbeat-timeout web", "web is judged as all others again")
            .build();

    private final Policies policies;

    @Activate
    public PolicyUnsetCommand(@Reference Policies policies) {
        this.policies = policies;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        String setting = context.text(Settings.SETTING);
        Optional<String> name = context.optionalText(Names.NAME);
        Map<String, String> values = name.map(
                        one -> policies.export().instances().getOrDefault(one, Map.of()))
                .orElseGet(() -> policies.export().defaults());
        if (!values.containsKey(setting)) {
            throw new CommandException(
                    ExitCode.FAILED,
                    "\"" + setting + "\" is not set for "
                            + name.map(one -> "instance \"" + one + "\"").orElse("all")
                            + "; `policy export` shows what is set");
        }
        try {
            policies.unset(name, setting);
            return ExitCode.DONE;
        } catch (PolicyException e) {
            throw Settings.failure(e);
        }
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return switch (argument) {
            case Settings.SETTING -> Settings.beginning(policies, prefix);
            case Names.NAME ->
                policies.export().instances().keySet().stream()
                        .filter(name -> name.startsWith(prefix))
                        .toList();
            default -> List.of();
        };
    }
}
