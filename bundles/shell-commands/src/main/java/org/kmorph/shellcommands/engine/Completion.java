// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandRunner.Candidate;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ValueType;

/** What may stand at the end of the words typed so far. */
final class Completion {
    private final CommandTable table;

    Completion(CommandTable table) {
        this.table = table;
    }

    /** @param words at least one; the last is the one to be completed and may be empty */
    List<Candidate> complete(Caller caller, List<String> words) {
        List<String> before = words.subList(0, Math.max(0, words.size() - 1));
        String last = words.isEmpty() ? "" : words.get(words.size() - 1);
        List<Candidate> candidates = new ArrayList<>(nextWords(caller, before, last));
        table.longestMatch(before)
                .filter(command -> caller.role().mayActAs(command.spec().role()))
                .ifPresent(command -> candidates.addAll(arguments(command, before, last)));
        return candidates;
    }

    private List<Candidate> nextWords(Caller caller, List<String> before, String last) {
        String prefix = before.isEmpty() ? "" : String.join(" ", before) + " ";
        Map<String, Candidate> next = new TreeMap<>();
        table.specs().forEach((name, spec) -> {
            if (name.startsWith(prefix + last) && caller.role().mayActAs(spec.role())) {
                String rest = name.substring(prefix.length());
                int space = rest.indexOf(' ');
                String word = space < 0 ? rest : rest.substring(0, space);
                next.putIfAbsent(word, new Candidate(word, space < 0 ? spec.summary() : "", true));
            }
        });
        return List.copyOf(next.values());
    }

    private static List<Candidate> arguments(Command command, List<String> before, String last) {
        CommandSpec spec = command.spec();
        List<Argument> all = Standard.argumentsOf(spec);
        List<String> given = before.subList(spec.words().size(), before.size());
        int equals = last.indexOf('=');
        if (last.startsWith("--") && equals > 0) {
            String option = last.substring(0, equals + 1);
            return named(all, last.substring(2, equals))
                    .map(argument -> values(command, argument, last.substring(equals + 1), option))
                    .orElse(List.of());
        }
        if (!given.isEmpty()) {
            String previous = given.get(given.size() - 1);
            Optional<Argument> waiting = previous.equals("-o")
                    ? named(all, Standard.OUTPUT)
                    : previous.startsWith("--") ? named(all, previous.substring(2)) : Optional.empty();
            if (waiting.filter(Completion::takesNextWord).isPresent()) {
                return values(command, waiting.get(), last, "");
            }
        }
        List<Candidate> candidates = new ArrayList<>();
        if (last.startsWith("-")) {
            all.stream()
                    .filter(argument -> !argument.position())
                    .filter(argument -> argument.repeatable() || !isGiven(given, argument))
                    .filter(argument -> ("--" + argument.name()).startsWith(last))
                    .forEach(argument -> candidates.add(option(argument)));
        }
        positional(all, given).ifPresent(argument -> candidates.addAll(values(command, argument, last, "")));
        return candidates;
    }

    private static boolean takesNextWord(Argument argument) {
        return argument.type() != ValueType.FLAG && argument.type() != ValueType.BOOLEAN;
    }

    private static boolean isGiven(List<String> given, Argument argument) {
        return given.stream()
                .anyMatch(word -> word.equals("--" + argument.name()) || word.startsWith("--" + argument.name() + "="));
    }

    private static Candidate option(Argument argument) {
        boolean flag = !takesNextWord(argument);
        return new Candidate("--" + argument.name() + (flag ? "" : "="), argument.help(), flag);
    }

    private static Optional<Argument> named(List<Argument> all, String name) {
        return all.stream()
                .filter(argument -> !argument.position() && argument.name().equals(name))
                .findFirst();
    }

    /** The parameter whose turn it is. */
    private static Optional<Argument> positional(List<Argument> all, List<String> given) {
        long taken = given.stream().filter(word -> !word.startsWith("-")).count();
        List<Argument> positions = all.stream().filter(Argument::position).toList();
        if (positions.isEmpty()) {
            return Optional.empty();
        }
        Argument last = positions.get(positions.size() - 1);
        return taken < positions.size()
                ? Optional.of(positions.get((int) taken))
                : Optional.of(last).filter(Argument::repeatable);
    }

    /** Files are the client's to complete: it knows where it is. */
    private static List<Candidate> values(Command command, Argument argument, String prefix, String option) {
        List<String> values =
                switch (argument.type()) {
                    case CHOICE -> argument.choices();
                    case BOOLEAN -> List.of("true", "false");
                    default -> command.complete(argument.name(), prefix);
                };
        return values.stream()
                .filter(value -> value.startsWith(prefix))
                .map(value -> new Candidate(option + value, "", true))
                .toList();
    }
}
