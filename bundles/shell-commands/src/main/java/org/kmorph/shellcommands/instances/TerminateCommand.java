// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.time.Duration;
import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.instance.InstanceException;
import org.kmorph.api.instance.Instances;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code terminate NAME}. */
@Component
public final class TerminateCommand implements Command {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final CommandSpec SPEC = CommandSpec.named("terminate")
            .summary("end an instance and give back all it had")
            .description(
                    """
                    The workload is asked to stop first (SIGTERM, and SIGKILL after 10 s). Returns when its kernel provably runs no more and its resources are free. When that cannot be made certain the \
                    instance is HELD, and nothing of it is used again until --force is given by a person who has looked.""")
            .changes(Role.OPERATOR)
            .slow()
            .parameter(Names.NAME, ValueType.TEXT, "the instance")
            .flag("force", "end at once, without asking the workload; needed for an instance that is HELD")
            .example("terminate web", "end web")
            .build();

    private final Instances instances;

    @Activate
    public TerminateCommand(@Reference Instances instances) {
        this.instances = instances;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
        String name = context.text(Names.NAME);
        try {
            instances.terminate(name, context.flag("force"), Names.patience(context, TIMEOUT));
            context.err().printf("instance \"%s\" is gone%n", name);
            return ExitCode.DONE;
        } catch (InterruptedException e) {
            context.err().printf("the end of instance \"%s\" goes on without you; `list` shows how it stands%n", name);
            throw e;
        } catch (InstanceException e) {
            throw Names.failure(e);
        }
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return argument.equals(Names.NAME) ? Names.beginning(instances, prefix) : List.of();
    }
}
