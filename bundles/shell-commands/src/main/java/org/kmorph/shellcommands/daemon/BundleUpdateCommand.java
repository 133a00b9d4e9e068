// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.daemon;

import java.io.IOException;
import java.nio.file.Path;
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

/** {@code bundle update JAR}. */
@Component
public final class BundleUpdateCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("bundle", "update")
            .summary("replace a bundle by another version while it works")
            .description(
                    """
                    Says first which other bundles would be restarted. The new version is started beside the old; when it does not \
                    become healthy in its window the old one stays, and the exit code is 7.""")
            .changes(Role.ADMIN)
            .slow()
            .parameter("JAR", ValueType.PATH, "the new version's file")
            .flag("dry-run", "say what it would do, and do nothing")
            .example("bundle update health-0.2.0.jar", "replace org.kmorph.health")
            .build();

    @Reference(policy = ReferencePolicy.DYNAMIC, policyOption = ReferencePolicyOption.GREEDY)
    private volatile BundleManager bundles;

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException, InterruptedException {
        BundleManager manager = bundles;
        Path jar = context.path("JAR").orElseThrow();
        try {
            context.err().println(BundleView.text(manager.plan(jar)));
            context.err().flush();
            if (!context.flag("dry-run")) {
                BundleInfo updated = manager.update(jar);
                context.err().println(updated.symbolicName() + " " + updated.version() + " is " + updated.state());
            }
            return ExitCode.DONE;
        } catch (DeploymentException e) {
            throw BundleView.failure(e);
        }
    }
}
