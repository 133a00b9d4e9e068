// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.List;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandRunner.Candidate;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.command.Role;
import org.kmorph.api.command.ValueType;

/** {@code complete -- WORD…}: what the completion scripts call at each TAB. */
final class CompleteCommand implements Command {
    private static final CommandSpec SPEC = CommandSpec.named("complete")
            .summary("print what could complete a command line, for completion scripts")
            .description("One candidate a line: the word, a tab, a help text. A word that ends in = goes on.")
            .reads(Role.VIEWER)
            .remaining(
                    "WORD",
                    ValueType.TEXT,
                    "the words so far, after --; the last one, perhaps empty, is to be completed")
            .example("complete -- bundle up", "update")
            .build();

    private final Completion completion;

    CompleteCommand(Completion completion) {
        this.completion = completion;
    }

    @Override
    public CommandSpec spec() {
        return SPEC;
    }

    @Override
    public ExitCode run(CommandContext context) {
        List<String> words = context.texts("WORD");
        for (Candidate candidate : completion.complete(context.caller(), words.isEmpty() ? List.of("") : words)) {
            context.out().println(candidate.value() + "\t" + candidate.help());
        }
        return ExitCode.DONE;
    }
}
