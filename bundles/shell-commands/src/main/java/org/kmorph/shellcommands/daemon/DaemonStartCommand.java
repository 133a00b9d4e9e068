// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.osgi.service.component.annotations.Component;

/** {@code daemon start}: done by the client. Where it comes to a daemon that runs, it has nothing to do. */
@Component
public final class DaemonStartCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("daemon", "start")
            .summary("start the daemon")
            .description("Returns when it answers. One that runs already is left as it is.")
            .reads(Role.VIEWER)
            .option("config", ValueType.PATH, "FILE", "another kmorphd.conf; the *.cfg files beside it are used too")
            .flag("foreground", "stay, with a shell, and stop the daemon when that is left")
            .example("daemon start", "start it")
            .build();

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        context.err()
                .println("kmorphd is already running (pid "
                        + ProcessHandle.current().pid() + ")");
        return ExitCode.DONE;
    }
}
