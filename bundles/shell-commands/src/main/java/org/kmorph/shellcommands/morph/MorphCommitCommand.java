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

/** {@code morph commit}. */
@Component
public final class MorphCommitCommand implements Command {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);

    private static final CommandSpec SPEC = CommandSpec.named("morph", "commit")
            .summary("make the new kernel of a prepared morph the one that runs the workload")
            .description(
                    """
                    After the commit the old kernel is kept for the provisional window (provisional.seconds in etc/org.kmorph.morph.cfg). \
                    A workload that ends or hangs there before it has begun is given back, and goes on on the old kernel from the \
                    freeze; `morph status` says that it was, or why not. The exit code is then 7.

                    One that has begun may have answered clients and is not given back: another morph takes it to the old kernel \
                    as it is by then.""")
            .changes(Role.OPERATOR)
            .slow()
            .parameter(MorphView.NAME, ValueType.TEXT, "the instance")
            .example("morph commit web", "prints how long the workload stood still")
            .build();

    private final Morphs morphs;
    private final Instances instances;

    @Activate
    public MorphCommitCommand(@Reference Morphs morphs, @Reference Instances instances) {
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
            context.err()
                    .println(MorphView.committed(morphs.commit(
                            context.text(MorphView.NAME),
                            context.duration("timeout").orElse(TIMEOUT))));
            return ExitCode.DONE;
        } catch (MorphException e) {
            throw MorphView.failure(e);
        }
    }
}
