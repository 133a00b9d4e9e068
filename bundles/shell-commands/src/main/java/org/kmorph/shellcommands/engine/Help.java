// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.Example;
import org.kmorph.api.command.ValueType;

/** Help texts, made from declarations. */
public final class Help {
    private static final int WIDTH = 96;

    private Help() {}

    /** The list of all commands. */
    public static String overview(Map<String, CommandSpec> commands) {
        int width = commands.keySet().stream().mapToInt(String::length).max().orElse(0);
        StringBuilder text = new StringBuilder("commands:\n");
        commands.forEach((name, spec) -> text.append("  ")
                .append(name)
                .append(" ".repeat(width - name.length() + 2))
                .append(spec.summary())
                .append('\n'));
        return text.append("\n`help COMMAND` or `COMMAND --help` tells more of one.\n")
                .toString();
    }

    /** All of one command. */
    public static String of(CommandSpec spec) {
        StringBuilder text =
                new StringBuilder(spec.name() + " - " + spec.summary() + "\n\nusage: " + usage(spec) + "\n");
        for (String paragraph : paragraphs(spec)) {
            text.append('\n').append(wrap(paragraph)).append('\n');
        }
        List<Argument> arguments = Standard.argumentsOf(spec);
        if (!arguments.isEmpty()) {
            text.append("\narguments:\n");
            int width = arguments.stream()
                    .mapToInt(argument -> written(argument).length())
                    .max()
                    .orElse(0);
            for (Argument argument : arguments) {
                text.append("  ").append(written(argument));
                text.append(" ".repeat(width - written(argument).length() + 2))
                        .append(explained(argument))
                        .append('\n');
            }
        }
        text.append("\nexamples:\n");
        for (Example example : spec.examples()) {
            text.append("  kmorphctl ")
                    .append(example.line())
                    .append("\n      ")
                    .append(example.effect())
                    .append('\n');
        }
        return text.append("\nneeds the role ")
                .append(spec.role().name().toLowerCase(Locale.ROOT))
                .append(spec.changes() ? "; each use is written to the audit log\n" : "\n")
                .toString();
    }

    /** {@code ping NAME [--count=N]}. */
    static String usage(CommandSpec spec) {
        List<String> words = new ArrayList<>(List.of(spec.name()));
        for (Argument argument : Standard.argumentsOf(spec)) {
            words.add(argument.required() ? written(argument) : "[" + written(argument) + "]");
        }
        return String.join(" ", words);
    }

    /** The description's paragraphs, each as one line. */
    static List<String> paragraphs(CommandSpec spec) {
        return spec.description().isBlank()
                ? List.of()
                : List.of(spec.description().strip().split("\n\\s*\n")).stream()
                        .map(paragraph -> paragraph.replace('\n', ' '))
                        .toList();
    }

    /** How an argument is typed: {@code NAME}, {@code --count=N}, {@code --force}. */
    static String written(Argument argument) {
        if (argument.position()) {
            return argument.repeatable() ? argument.name() + "…" : argument.name();
        }
        return argument.type() == ValueType.FLAG
                ? "--" + argument.name()
                : "--" + argument.name() + "=" + argument.label() + (argument.repeatable() ? "…" : "");
    }

    /** What it is for, with its default or choices. */
    static String explained(Argument argument) {
        String choices = argument.position() && !argument.choices().isEmpty()
                ? argument.choices().stream().collect(Collectors.joining(", ", ": ", ""))
                : "";
        return argument.help()
                + choices
                + argument.defaultValue()
                        .map(value -> " (default " + value + ")")
                        .orElse("")
                + (argument.required() && !argument.position() ? " (must be given)" : "");
    }

    private static String wrap(String paragraph) {
        StringBuilder wrapped = new StringBuilder();
        int column = 0;
        for (String word : paragraph.split(" +")) {
            if (column > 0 && column + word.length() >= WIDTH) {
                wrapped.append('\n');
                column = 0;
            }
            wrapped.append(column == 0 ? "" : " ").append(word);
            column += word.length() + 1;
        }
        return wrapped.toString();
    }
}
