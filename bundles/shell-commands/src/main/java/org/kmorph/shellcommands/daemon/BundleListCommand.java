// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Output;
import org.kmorph.api.command.Role;
import org.kmorph.api.daemon.BundleManager;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code bundle list}. */
@Component
public final class BundleListCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("bundle", "list")
            .summary("show the bundles that the daemon is made of")
            .description("Origin: platform (changes only by restart), ours, or deployed (dropped in by people).")
            .reads(Role.VIEWER)
            .printsData()
            .example("bundle list", "all, with what is wrong with those that do not work")
            .build();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile BundleManager bundles;

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        context.print(Output.rows(
                BundleView.COLUMNS, bundles.list().stream().map(BundleView::row).toList()));
        return ExitCode.DONE;
    }
}
