// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import java.time.Duration;
import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.Morphs;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code morph validate}. */
@Component
public final class MorphValidateCommand implements Command {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);

    private static final CommandSpec SPEC = CommandSpec.named("morph", "validate")
            .summary("have the new kernel of a prepared morph try everything again")
            .changes(Role.OPERATOR)
            .slow()
            .parameter(MorphView.NAME, ValueType.TEXT, "the instance")
            .example("morph validate web", "prints what was tried and found")
            .build();

    private final Morphs morphs;
    private final Instances instances;

    @Activate
    public MorphValidateCommand(@Reference Morphs morphs, @Reference Instances instances) {
        this.morphs = morphs;
        this.instances = instances;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(MorphView.NAME) ? Names.beginning(instances, prefix) : List.of();
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
        try {
            morphs.validate(
                            context.text(MorphView.NAME),
                            context.duration("timeout").orElse(TIMEOUT))
                    .checks()
                    .forEach(context.out()::println);
            return ExitCode.DONE;
        } catch (MorphException e) {
            throw MorphView.failure(e);
        }
    }
}
