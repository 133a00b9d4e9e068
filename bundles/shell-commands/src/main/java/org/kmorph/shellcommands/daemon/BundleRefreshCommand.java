// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.daemon.BundleManager;
import org.kmorph.api.daemon.BundleManager.BundleInfo;
import org.kmorph.api.daemon.BundleManager.DeploymentException;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** {@code bundle refresh BUNDLE}. */
@Component
public final class BundleRefreshCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("bundle", "refresh")
            .summary("wire a bundle and all that use it anew")
            .changes(Role.ADMIN)
            .parameter("BUNDLE", ValueType.TEXT, "its symbolic name")
            .example("bundle refresh org.kmorph.api", "restart all that is wired to the api")
            .build();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile BundleManager bundles;

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, InterruptedException {
        try {
            bundles.refresh(context.text("BUNDLE"));
            context.err().println(context.text("BUNDLE") + " is wired anew");
            return ExitCode.DONE;
        } catch (DeploymentException e) {
            throw BundleView.failure(e);
        }
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return bundles.list().stream()
                .filter(bundle -> bundle.origin() != BundleManager.Origin.PLATFORM)
                .map(BundleInfo::symbolicName)
                .filter(name -> name.startsWith(prefix))
                .toList();
    }
}
