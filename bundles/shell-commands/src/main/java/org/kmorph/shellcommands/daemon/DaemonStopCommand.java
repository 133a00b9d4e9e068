// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code daemon stop}. */
@Component
public final class DaemonStopCommand implements Command {
    private static final Logger LOG = LoggerFactory.getLogger(DaemonStopCommand.class);

    private static final CommandSpec SPEC = CommandSpec.named("daemon", "stop")
            .summary("stop the daemon; instances go on running")
            .description(
                    """
                    Returns when its process has ended, or when --timeout is over (60 s where it is not given). Commands that run are \
                    cancelled, unless --graceful waits for them. The next daemon adopts the instances.""")
            .changes(Role.ADMIN)
            .slow()
            .flag("graceful", "let running commands come to their end first")
            .example("daemon stop --graceful", "stop it without cutting anything off")
            .build();

    private final BundleContext context;

    @Activate
    public DaemonStopCommand(BundleContext context) {
        this.context = context;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    /** The answer must be out before the door that carries it closes: the stop is another thread's. */
    @Override
    public ExitCode run(CommandContext call) {
        boolean graceful = call.flag("graceful");
        String by = call.caller().name();
        call.detach();
        Thread stopper = new Thread(() -> stop(graceful, by), "kmorph-stopper");
        stopper.setDaemon(true);
        stopper.start();
        return ExitCode.DONE;
    }

    private void stop(boolean graceful, String by) {
        LOG.info("stopped by {}{}", by, graceful ? ", gracefully" : "");
        try {
            context.getBundle(0).stop();
        } catch (BundleException e) {
            LOG.error("the framework does not stop", e);
        }
    }
}
