// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code notify test}. */
@Component
public final class NotifyTestCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("notify", "test")
            .summary("send an event of the kind \"test\" to the hooks and the webhook")
            .changes(Role.OPERATOR)
            .example("notify test", "then see \"notify status\"")
            .build();

    private final Notifier notifier;

    @Activate
    public NotifyTestCommand(@Reference Notifier notifier) {
        this.notifier = notifier;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        notifier.test(context.caller().name());
        return ExitCode.DONE;
    }
}
