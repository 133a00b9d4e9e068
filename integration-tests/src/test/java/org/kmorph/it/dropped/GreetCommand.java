// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.dropped;

import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;

/** A command that a bundle dropped into {@code deploy/} brings. */
public final class GreetCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("greet")
            .summary("say who is there")
            .reads(Role.VIEWER)
            .example("greet", "a greeting")
            .build();

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        context.out().println("greetings");
        return ExitCode.DONE;
    }
}
