// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.dropped;

import java.util.Map;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;

/** A greeting that the configuration words, and that takes half a second to take up another. */
public final class ConfiguredCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("greet")
            .summary("say who is there")
            .reads(Role.VIEWER)
            .example("greet", "a greeting")
            .build();

    private static final long SLOW_MILLIS = 500;

    private volatile Object greeting;

    /** Called by the component runtime, by name. */
    public void modified(Map<String, ?> properties) throws InterruptedException {
        Thread.sleep(SLOW_MILLIS);
        greeting = properties.get("greeting");
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        context.out().println(greeting);
        return ExitCode.DONE;
    }
}
