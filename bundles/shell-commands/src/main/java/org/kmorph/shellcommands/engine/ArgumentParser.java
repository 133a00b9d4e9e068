// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.ValueType;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Sorts the words after a command's name into its arguments. */
final class ArgumentParser {
    private ArgumentParser() {}

    /**
     * @param arguments what the command takes, the engine's own options among them
     * @return the values by the argument's name; defaults filled in; none for what was not given and has no default
     * @throws UsageException for a word that does not belong there, a value that is not of its type, or one that is missing
     */
    static Map<String, List<String>> parse(String command, List<Argument> arguments, List<String> words)
            throws UsageException {
        CommandSpec spec = CommandSpec.create().name(command);
        int position = 0;
        for (Argument argument : arguments) {
            if (argument.position()) {
                spec.addPositional(positional(argument, position++));
            } else {
                spec.addOption(option(argument));
            }
        }
        CommandLine line = new CommandLine(spec)
                .setOverwrittenOptionsAllowed(false)
                .setUnmatchedOptionsArePositionalParams(false)
                .setAllowOptionsAsOptionParameters(false)
                .setExpandAtFiles(false)
                .setTrimQuotes(false);
        try {
            return values(command, arguments, line.parseArgs(whole(arguments, words)));
        } catch (UnmatchedArgumentException e) {
            throw new UsageException(
                    unknown(command, arguments, e.getUnmatched().get(0)));
        } catch (ParameterException e) {
            throw new UsageException(command + ": " + lowerFirst(e.getMessage()));
        }
    }

    private static OptionSpec option(Argument argument) {
        OptionSpec.Builder option = argument.name().equals(Standard.OUTPUT)
                ? OptionSpec.builder("-o", "--" + argument.name())
                : OptionSpec.builder("--" + argument.name());
        if (argument.type() == ValueType.FLAG) {
            return option.arity("0").type(boolean.class).build();
        }
        option.arity("1").paramLabel(argument.label()).required(argument.required());
        return (argument.repeatable()
                        ? option.type(List.class).auxiliaryTypes(String.class)
                        : option.type(String.class))
                .build();
    }

    private static PositionalParamSpec positional(Argument argument, int position) {
        PositionalParamSpec.Builder made = PositionalParamSpec.builder()
                .paramLabel(argument.name())
                .index(argument.repeatable() ? position + "..*" : Integer.toString(position))
                .arity(argument.repeatable() ? "0..*" : argument.required() ? "1" : "0..1");
        return (argument.repeatable() ? made.type(List.class).auxiliaryTypes(String.class) : made.type(String.class))
                .build();
    }

    /** {@code --monitor} alone means {@code --monitor=true}; picocli would take the next word for its value. */
    private static String[] whole(List<Argument> arguments, List<String> words) {
        return words.stream()
                .map(word -> arguments.stream()
                                .anyMatch(argument ->
                                        argument.type() == ValueType.BOOLEAN && word.equals("--" + argument.name()))
                        ? word + "=true"
                        : word)
                .toArray(String[]::new);
    }

    private static Map<String, List<String>> values(String command, List<Argument> arguments, ParseResult parsed)
            throws UsageException {
        Map<String, List<String>> values = new LinkedHashMap<>();
        int position = 0;
        for (Argument argument : arguments) {
            List<String> given;
            if (argument.position()) {
                int index = position++;
                given = parsed.matchedPositionals().stream()
                        .filter(matched -> matched.paramLabel().equals(argument.name()))
                        .findFirst()
                        .map(ArgSpec::stringValues)
                        .orElse(List.of());
                if (given.isEmpty() && argument.required()) {
                    throw new UsageException(command + ": " + argument.name() + " is missing (word " + (index + 1)
                            + " after the command): " + argument.help());
                }
            } else {
                given = parsed.hasMatchedOption("--" + argument.name())
                        ? valuesOf(parsed, argument)
                        : argument.defaultValue().map(List::of).orElse(List.of());
            }
            for (String value : given) {
                check(command, argument, value);
            }
            if (!given.isEmpty()) {
                values.put(argument.name(), new ArrayList<>(given));
            }
        }
        return values;
    }

    private static List<String> valuesOf(ParseResult parsed, Argument argument) {
        return argument.type() == ValueType.FLAG
                ? List.of("true")
                : parsed.matchedOption("--" + argument.name()).stringValues();
    }

    private static void check(String command, Argument argument, String value) throws UsageException {
        String written = argument.position() ? argument.name() : "--" + argument.name();
        if (argument.type() == ValueType.CHOICE && !argument.choices().contains(value)) {
            throw new UsageException(command + ": " + written + " is \"" + value + "\"; expected "
                    + String.join(", ", argument.choices())
                    + Spelling.nearest(value, argument.choices())
                            .map(near -> " (did you mean " + near + "?)")
                            .orElse(""));
        }
        try {
            Values.check(argument.type(), value);
        } catch (IllegalArgumentException e) {
            throw new UsageException(command + ": " + written + " is \"" + value + "\"; " + e.getMessage());
        }
    }

    private static String unknown(String command, List<Argument> arguments, String word) {
        if (!word.startsWith("-")) {
            return command + ": \"" + word + "\" is one word too many; `help " + command + "` shows what it takes";
        }
        String bare = word.contains("=") ? word.substring(0, word.indexOf('=')) : word;
        List<String> known = arguments.stream()
                .filter(argument -> !argument.position())
                .map(argument -> "--" + argument.name())
                .toList();
        return command + ": unknown option \"" + bare + "\""
                + Spelling.nearest(bare, known)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("; `help " + command + "` shows those there are");
    }

    private static String lowerFirst(String text) {
        return text.isEmpty() ? text : Character.toLowerCase(text.charAt(0)) + text.substring(1);
    }
}
