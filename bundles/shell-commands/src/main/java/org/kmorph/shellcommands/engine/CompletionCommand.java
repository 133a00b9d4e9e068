// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;

/** {@code completion bash|zsh|fish}. */
final class CompletionCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("completion")
            .summary("print a completion script for a shell")
            .description(
                    """
                    The script asks the daemon at each TAB, so that instances and commands of dropped-in bundles complete too; while \
                    no daemon answers it knows the commands that there were when it was made.""")
            .reads(Role.VIEWER)
            .choiceParameter("SHELL", "which shell", "bash", "zsh", "fish")
            .example("completion bash > /etc/bash_completion.d/kmorphctl", "complete kmorphctl in bash")
            .build();

    private final CommandTable table;

    CompletionCommand(CommandTable table) {
        this.table = table;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        context.out()
                .print(CompletionScripts.of(context.text("SHELL"), table.specs().values()));
        return ExitCode.DONE;
    }
}
