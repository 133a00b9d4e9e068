// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.recovery;

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
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.recovery.Recoveries;
import org.kmorph.api.recovery.RecoveryReport;
import org.kmorph.api.recovery.RecoveryState;
import org.kmorph.shellcommands.instances.Names;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code recover}. */
@Component
public final class RecoverCommand implements Command {
    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private static final CommandSpec SPEC = CommandSpec.named("recover")
            .summary("recover an instance now, whether it has failed or not")
            .description(
                    """
                    Makes certain that it runs no more, gives back what it had, and brings its work back as its policy says. Returns when \
                    that is over. Once begun it goes on whatever becomes of the command: Ctrl-C ends the waiting alone.""")
            .changes(Role.OPERATOR)
            .slow()
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .flag("dry-run", "tell the steps, and take none")
            .example("recover web --dry-run", "what it would do")
            .example("recover web", "do it")
            .build();

    private final Instances instances;
    private final Recoveries recoveries;

    @Activate
    public RecoverCommand(@Reference Instances instances, @Reference Recoveries recoveries) {
        this.instances = instances;
        this.recoveries = recoveries;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
        String name = context.text(Names.NAME);
        try {
            if (context.flag("dry-run")) {
                recoveries.plan(name).forEach(context.out()::println);
                return ExitCode.DONE;
            }
            return recover(context, name);
        } catch (InstanceException e) {
            throw Names.failure(e);
        }
    }

    private ExitCode recover(CommandContext context, String name) throws InstanceException, InterruptedException {
        try (Progress progress = context.progress("recovering " + name)) {
            progress.note("fencing it first");
            RecoveryReport report = recoveries.recover(
                    name, context.caller().name(), context.duration("timeout").orElse(TIMEOUT));
            RecoveryReport.Step last = report.steps().get(report.steps().size() - 1);
            context.err().println(last.state() + ": " + last.detail());
            return report.state() == RecoveryState.RECOVERY_COMPLETE ? ExitCode.DONE : ExitCode.FAILED;
        } catch (InterruptedException e) {
            context.err()
                    .println("the recovery of " + name + " goes on; recovery-log --instance=" + name + " shows it");
            throw e;
        }
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(Names.NAME) ? Names.beginning(instances, prefix) : List.of();
    }
}
