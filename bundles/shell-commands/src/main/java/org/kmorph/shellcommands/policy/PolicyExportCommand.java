// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.policy.Policies;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** {@code policy export}. */
@Component
public final class PolicyExportCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("policy", "export")
            .summary("write all policy values that were set, as JSON")
            .description(
                    "The file is written by the daemon, whole or not at all; without --output it goes to standard output.")
            .reads(Role.ADMIN)
            .option("output", ValueType.PATH, "FILE", "where to")
            .example("policy export --output=policies.json", "keep them, or take them to another machine")
            .build();

    private final Policies policies;

    @Activate
    public PolicyExportCommand(@Reference Policies policies) {
        this.policies = policies;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException, IOException {
        String text = PolicyFile.write(policies.export());
        Optional<Path> output = context.path("output");
        if (output.isEmpty()) {
            context.out().print(text);
            return ExitCode.DONE;
        }
        Path file = output.get();
        if (file.getFileName() == null || file.getParent() == null || !Files.isDirectory(file.getParent())) {
            throw new CommandException(ExitCode.FAILED, file + " cannot be written: its directory is not there");
        }
        Path whole = Files.createTempFile(file.getParent(), ".policy-", ".json");
        try {
            Files.writeString(whole, text);
            Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(whole);
        }
        return ExitCode.DONE;
    }
}
