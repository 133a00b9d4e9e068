// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import java.time.Duration;
import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Progress;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.Morphs;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code morph prepare}. */
@Component
public final class MorphPrepareCommand implements Command {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);

    private static final CommandSpec SPEC = CommandSpec.named("morph", "prepare")
            .summary("make a morph ready, and keep it fresh until it is committed")
            .changes(Role.OPERATOR)
            .slow()
            .parameter(MorphView.NAME, ValueType.TEXT, "the instance")
            .requiredOption("kernel", ValueType.PATH, "PATH", "the new kernel's image")
            .flag(
                    "compress",
                    "compress state that moves while the workload runs, with zstd, where both kernels' agents can")
            .flag("restart", "move no state: end the workload here and begin it anew there")
            .example("morph prepare web --kernel=/boot/vmlinuz", "the rest is done by `morph commit web`")
            .build();

    private final Morphs morphs;
    private final Instances instances;

    @Activate
    public MorphPrepareCommand(@Reference Morphs morphs, @Reference Instances instances) {
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
        String name = context.text(MorphView.NAME);
        try (Progress progress = context.progress("preparing " + name)) {
            context.err()
                    .println(MorphView.prepared(morphs.prepare(
                            name,
                            context.path("kernel").orElseThrow(),
                            MorphView.transfer(context),
                            context.duration("timeout").orElse(TIMEOUT),
                            status -> MorphView.show(progress, status))));
            return ExitCode.DONE;
        } catch (MorphException e) {
            throw MorphView.failure(e);
        }
    }
}
