// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;

/** {@code man --output-directory=DIR}. */
final class ManCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("man")
            .summary("write the manual pages of all commands")
            .description("Writes kmorphctl.1 and a page for each command, made from the same declarations as the help.")
            .changes(Role.ADMIN)
            .requiredOption("directory", ValueType.PATH, "DIR", "where to; made when it is not there")
            .example("man --directory=/usr/local/share/man/man1", "then: man kmorphctl-bundle-update")
            .build();

    private final CommandTable table;

    ManCommand(CommandTable table) {
        this.table = table;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws IOException {
        Path directory = Files.createDirectories(context.path("directory").orElseThrow());
        Files.writeString(
                directory.resolve("kmorphctl.1"),
                ManPages.overview(table.specs().values()));
        for (CommandSpec spec : table.specs().values()) {
            Files.writeString(directory.resolve(ManPages.name(spec) + ".1"), ManPages.of(spec));
        }
        return ExitCode.DONE;
    }
}
