// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.Shell;
import org.kmorph.api.command.ValueType;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code shell}. */
@Component(service = Command.class)
public final class ShellCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("shell")
            .summary("the interactive shell, or a script")
            .description(
                    """
                    Admins have the Gogo language with pipes, variables and closures, in which every command is a word, and the \
                    scripts of etc/scripts/ are too. Viewers and operators have the commands alone. `exit` or Ctrl-D leaves it.""")
            .reads(Role.VIEWER)
            .optionalParameter("FILE", ValueType.PATH, "a script to run instead")
            .option("command", ValueType.TEXT, "TEXT", "a line to run instead")
            .example("shell", "an interactive shell")
            .example("shell --command \"bundle list | grep kmorph\"", "one line of it")
            .build();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile Shell shell;

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException {
        Optional<Path> file = context.path("FILE");
        Optional<String> line = context.optionalText("command");
        if (file.isPresent() && line.isPresent()) {
            throw new CommandException(ExitCode.USAGE, "shell takes a FILE or --command, not both");
        }
        if (line.isPresent()) {
            return shell.script(context, "--command", line.get());
        }
        if (file.isPresent()) {
            return shell.script(context, file.get().toString(), Files.readString(file.get()));
        }
        return shell.interactive(context);
    }
}
