// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;

/** {@code help [WORD…]}. */
final class HelpCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("help")
            .summary("explain a command, or list all")
            .reads(Role.VIEWER)
            .remaining("WORD", ValueType.TEXT, "the command, or the words with which several begin")
            .example("help", "all commands")
            .example("help bundle update", "one of them")
            .build();

    private final CommandTable table;

    HelpCommand(CommandTable table) {
        this.table = table;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) throws CommandException {
        List<String> words = context.texts("WORD");
        if (words.isEmpty()) {
            context.out().print(Help.overview(table.specs()));
            return ExitCode.DONE;
        }
        var command = table.named(words);
        command.ifPresent(found -> context.out().print(Help.of(found.spec())));
        if (table.isGroup(words)) {
            String prefix = String.join(" ", words) + " ";
            context.out().print(Help.overview(table.specs().subMap(prefix, prefix + Character.MAX_VALUE)));
        } else if (command.isEmpty()) {
            List<String> near = table.suggestions(words);
            throw new CommandException(
                    ExitCode.USAGE,
                    "unknown command \"" + String.join(" ", words) + "\""
                            + (near.isEmpty()
                                    ? "; `help` lists all"
                                    : "; did you mean " + String.join(", ", near) + "?"));
        }
        return ExitCode.DONE;
    }

    @Override
    public List<String> complete(String argument, String prefix) {
        return table.specs().values().stream()
                .flatMap(spec -> spec.words().stream())
                .filter(word -> word.startsWith(prefix))
                .distinct()
                .sorted()
                .toList();
    }
}
