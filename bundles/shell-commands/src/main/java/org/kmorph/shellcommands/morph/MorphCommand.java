// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Progress;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.MorphException;
import org.kmorph.api.morph.MorphStatus;
import org.kmorph.api.morph.Morphs;
import org.kmorph.api.morph.StateTransfer;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code morph NAME}. */
@Component
public final class MorphCommand implements Command {
    private static final Duration TIMEOUT = Duration.ofMinutes(10);

    private static final String GROUP = "group";
    private static final String MOST = "max-unavailable";

    private static final CommandSpec SPEC = CommandSpec.named("morph")
            .summary("replace an instance's kernel by another while its workload goes on")
            .description(
                    """
                    Makes the new kernel beside the old one, moves the workload's state while it runs, has the new kernel try all that \
                    can be tried, and waits for `morph commit`; with --auto-commit it goes on at once. Until the old kernel has let \
                    go, every failure and Ctrl-C leave it running.

                    After the commit the old kernel is kept for the provisional window (provisional.seconds in etc/org.kmorph.morph.cfg). \
                    A workload that ends or hangs there before it has begun is given back, and goes on on the old kernel from the \
                    freeze; `morph status` says that it was, or why not.

                    The workload must have registered its state (libkmorph); one that has not is ended here and begun anew there with \
                    --restart.

                    With --group all instances of a label are morphed, one after the other in the order of their names, or as many at \
                    a time as --max-unavailable says. At the first failure no other is begun, and those that are not committed are \
                    rolled back; those that are stay on the new kernel.""")
            .changes(Role.OPERATOR)
            .slow()
            .optionalParameter(MorphView.NAME, ValueType.TEXT, "the instance")
            .requiredOption("kernel", ValueType.PATH, "PATH", "the new kernel's image")
            .flag("auto-commit", "commit as soon as it is validated")
            .option(GROUP, ValueType.TEXT, "LABEL", "all instances that were spawned with this --label; commits each")
            .option(MOST, ValueType.INTEGER, "N", "with --group: so many at a time; one, if it is not given")
            .flag("dry-run", "negotiate, move and validate, then undo it: says what a morph would come to")
            .flag(
                    "compress",
                    "compress state that moves while the workload runs, with zstd, where both kernels' agents can")
            .flag("restart", "move no state: end the workload here and begin it anew there")
            .example("morph web --kernel=/boot/vmlinuz --auto-commit", "replace it now")
            .example("morph web --kernel=/boot/vmlinuz --dry-run", "would it work?")
            .example("morph --group=front --kernel=/boot/vmlinuz --max-unavailable=2", "all of a label, two at a time")
            .build();

    private final Morphs morphs;
    private final Instances instances;

    @Activate
    public MorphCommand(@Reference Morphs morphs, @Reference Instances instances) {
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
        Optional<String> one = context.optionalText(MorphView.NAME);
        Optional<String> group = context.optionalText(GROUP);
        if (one.isPresent() == group.isPresent()) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "morph takes either an instance's name or --group=LABEL; `morph --help` shows both");
        }
        if (group.isEmpty() && context.integer(MOST).isPresent()) {
            throw new CommandException(ExitCode.USAGE, "--" + MOST + " goes with --group=LABEL only");
        }
        return group.isPresent() ? all(context, group.get()) : one(context, one.get());
    }

    private ExitCode all(CommandContext context, String label) throws CommandException, InterruptedException {
        if (context.flag("dry-run") || context.flag("restart")) {
            throw new CommandException(
                    ExitCode.USAGE, "--group goes with neither --dry-run nor --restart; try them with one instance");
        }
        long most = context.integer(MOST).orElse(1L);
        if (most < 1) {
            throw new CommandException(ExitCode.USAGE, "--" + MOST + " is " + most + "; expected 1 or more");
        }
        List<String> names = labelled(label);
        if (names.isEmpty()) {
            throw new CommandException(
                    ExitCode.NO_SUCH_INSTANCE,
                    "no instance has the label \"" + label + "\"; `list --verbose` shows those there are");
        }
        GroupMorph morph = new GroupMorph(
                morphs,
                context.path("kernel").orElseThrow(),
                MorphView.transfer(context),
                context.duration("timeout").orElse(TIMEOUT),
                context.out()::println);
        return morph.run(names, (int) Math.min(names.size(), most));
    }

    /** Without the kernels that a morph has beside an instance: the new one, or the old one that is kept. */
    private List<String> labelled(String label) {
        Set<String> beside = morphs.list().stream()
                .flatMap(status -> Stream.of(status.instance() + "-next", status.instance() + "-old"))
                .collect(Collectors.toSet());
        return instances.list().stream()
                .filter(instance -> instance.spec().label().equals(Optional.of(label)))
                .map(Instance::name)
                .filter(name -> !beside.contains(name))
                .sorted()
                .toList();
    }

    private ExitCode one(CommandContext context, String name) throws CommandException, InterruptedException {
        Duration timeout = context.duration("timeout").orElse(TIMEOUT);
        Path kernel = context.path("kernel").orElseThrow();
        if (context.flag("dry-run") && (context.flag("restart") || context.flag("auto-commit"))) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "--dry-run goes with neither --restart, which moves no state that could be tried, nor --auto-commit");
        }
        StateTransfer transfer = MorphView.transfer(context);
        try (Progress progress = context.progress("morphing " + name)) {
            if (context.flag("dry-run")) {
                MorphStatus would = morphs.dryRun(name, kernel, transfer, timeout);
                would.agreed().forEach(context.out()::println);
                would.checks().forEach(context.out()::println);
                context.out().printf("a morph of \"%s\" from %s to %s would succeed%n", name, would.from(), would.to());
                return ExitCode.DONE;
            }
            MorphStatus prepared =
                    morphs.prepare(name, kernel, transfer, timeout, status -> MorphView.show(progress, status));
            if (!context.flag("auto-commit")) {
                context.err().println(MorphView.prepared(prepared));
                return ExitCode.DONE;
            }
            context.err().println(MorphView.committed(morphs.commit(name, timeout)));
            return ExitCode.DONE;
        } catch (MorphException e) {
            throw MorphView.failure(e);
        }
    }
}
