// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.daemon.DaemonThreads;
import org.kmorph.shellcommands.engine.Running;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
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
                    cancelled. With --graceful those that change something come to their end first, and no new ones are begun; \
                    when --timeout is over before that, or on Ctrl-C, the daemon goes on. The next daemon adopts the instances.""")
            .changes(Role.ADMIN)
            .slow()
            .flag("graceful", "let changing commands that run come to their end first")
            .example("daemon stop --graceful", "stop it without cutting anything off")
            .build();

    private final BundleContext context;
    private final Running running;

    @Activate
    public DaemonStopCommand(BundleContext context, @Reference Running running) {
        this.context = context;
        this.running = running;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    /** The answer must be out before the door that carries it closes: the stop is another thread's. */
    @Override
    public ExitCode run(CommandContext call) throws InterruptedException {
        if (call.flag("graceful")) {
            running.closeAndAwait(names -> call.err().println("kmorph: waiting for: " + String.join(", ", names)));
        }
        String by = call.caller().name();
        call.detach();
        new DaemonThreads("kmorph-stopper").newThread(() -> stop(by)).start();
        return ExitCode.DONE;
    }

    private void stop(String by) {
        LOG.info("stopped by {}", by);
        try {
            context.getBundle(0).stop();
        } catch (BundleException e) {
            LOG.error("the framework does not stop", e);
        }
    }
}
