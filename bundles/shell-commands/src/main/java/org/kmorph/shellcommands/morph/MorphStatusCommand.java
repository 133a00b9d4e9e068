// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code morph status}. */
@Component
public final class MorphStatusCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("morph", "status")
            .summary("show where the morph of an instance is, or how its last one ended")
            .description(
                    """
                    OUTCOME is what it came to, or is coming to: committed, rolled back, or failed. Within the provisional window \
                    after a commit the phase is RUNNING; ROLLING_BACK after one means that the workload has not begun on the new \
                    kernel and goes on on the old one. DETAIL says what happened, and when the old kernel did not go on, why not.""")
            .reads(Role.VIEWER)
            .printsData()
            .parameter(MorphView.NAME, ValueType.TEXT, "the instance")
            .example("morph status web", "phase, rounds, bytes moved")
            .build();

    private final Morphs morphs;
    private final Instances instances;

    @Activate
    public MorphStatusCommand(@Reference Morphs morphs, @Reference Instances instances) {
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
    public ExitCode run(CommandContext context) throws CommandException {
        String name = context.text(MorphView.NAME);
        Names.find(instances, name);
        MorphStatus status = morphs.find(name)
                .orElseThrow(() -> new CommandException(
                        ExitCode.NOT_RUNNING, "there was no morph of \"" + name + "\" since the daemon began"));
        context.print(Output.one(MorphView.COLUMNS, MorphView.row(status)));
        return ExitCode.DONE;
    }
}
