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

/** {@code bundle install JAR}. */
@Component
public final class BundleInstallCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("bundle", "install")
            .summary("install a bundle that is not there yet, and start it")
            .description(
                    "The jar is verified whole and resolved in a dry run first; one that is refused changes nothing.")
            .changes(Role.ADMIN)
            .slow()
            .parameter("JAR", ValueType.PATH, "the bundle's file")
            .flag("dry-run", "say what it would do, and do nothing")
            .example("bundle install my-policy-1.0.0.jar", "install and start it")
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
            if (!context.flag("dry-run")) {
                BundleInfo installed = manager.install(jar);
                context.err()
                        .println(installed.symbolicName() + " " + installed.version() + " is " + installed.state());
            }
            return ExitCode.DONE;
        } catch (DeploymentException e) {
            throw BundleView.failure(e);
        }
    }
}
