// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

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

/** {@code morph rollback}. */
@Component
public final class MorphRollbackCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("morph", "rollback")
            .summary("undo a morph whose workload has not begun on the new kernel")
            .changes(Role.OPERATOR)
            .parameter(MorphView.NAME, ValueType.TEXT, "the instance")
            .example("morph rollback web", "the old kernel goes on as if nothing had been")
            .build();

    private final Morphs morphs;
    private final Instances instances;

    @Activate
    public MorphRollbackCommand(@Reference Morphs morphs, @Reference Instances instances) {
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
            morphs.rollback(context.text(MorphView.NAME));
            context.err().printf("the morph of \"%s\" was rolled back%n", context.text(MorphView.NAME));
            return ExitCode.DONE;
        } catch (MorphException e) {
            throw MorphView.failure(e);
        }
    }
}
