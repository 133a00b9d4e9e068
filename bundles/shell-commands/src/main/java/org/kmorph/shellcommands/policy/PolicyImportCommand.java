// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.Policies.Document;
import org.kmorph.api.policy.PolicyException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code policy import FILE}. */
@Component
public final class PolicyImportCommand implements Command {
    private static final String FILE = "FILE";

    private static final CommandSpec SPEC = CommandSpec.named("policy", "import")
            .summary("set all policy values from a file of `policy export`")
            .description(
                    """
                    What the file has is set, and what was set and is not in it is forgotten: all of it, or nothing when one value is \
                    refused.""")
            .changes(Role.ADMIN)
            .parameter(FILE, ValueType.PATH, "what `policy export` has written")
            .example("policy import policies.json", "make these all that is set")
            .build();

    private final Policies policies;

    @Activate
    public PolicyImportCommand(@Reference Policies policies) {
        this.policies = policies;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException {
        Path file = context.path(FILE).orElseThrow();
        try {
            Document document = PolicyFile.read(text(file));
            policies.replace(document);
            context.err()
                    .printf(
                            "%d values for all, and values for %d instances are set%n",
                            document.defaults().size(), document.instances().size());
            return ExitCode.DONE;
        } catch (IllegalArgumentException e) {
            throw new CommandException(ExitCode.USAGE, file + ": " + e.getMessage() + "; nothing was changed", e);
        } catch (PolicyException e) {
            String untouched = e.refused() ? "; nothing was changed" : "";
            throw new CommandException(Settings.failure(e).code(), file + ": " + e.getMessage() + untouched, e);
        }
    }

    private static String text(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(PolicyFile.MAX_BYTES + 1);
            if (bytes.length > PolicyFile.MAX_BYTES) {
                throw new IllegalArgumentException(
                        "it is over " + PolicyFile.MAX_BYTES + " bytes, the most that is read");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
