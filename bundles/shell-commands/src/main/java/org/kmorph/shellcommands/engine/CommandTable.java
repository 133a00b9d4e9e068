// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.kmorph.api.command.Command;
import org.kmorph.api.command.CommandSpec;

/** The commands there are now, by name. Of two of one name, which happens while a bundle is replaced, the newer counts. Thread-safe. */
final class CommandTable {
    /** Words that differ by no more than this many letters are taken for misspellings of each other. */
    private static final int NEAR = 3;

    private final SortedMap<String, Command> byName = new ConcurrentSkipListMap<>();

    void add(Command command) {
        byName.put(command.spec().name(), command);
    }

    void remove(Command command) {
        byName.remove(command.spec().name(), command);
    }

    SortedMap<String, CommandSpec> specs() {
        SortedMap<String, CommandSpec> specs = new TreeMap<>();
        byName.forEach((name, command) -> specs.put(name, command.spec()));
        return specs;
    }

    Optional<Command> named(List<String> words) {
        return Optional.ofNullable(byName.get(String.join(" ", words)));
    }

    /** The command that the first words call: {@code morph status web} is "morph status", {@code morph web} is "morph". */
    Optional<Command> longestMatch(List<String> words) {
        for (int length = words.size(); length > 0; length--) {
            Optional<Command> found = named(words.subList(0, length));
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /** Whether the words are the beginning of a command's, so that something is missing rather than wrong. */
    boolean isGroup(List<String> words) {
        String prefix = String.join(" ", words) + " ";
        return byName.keySet().stream().anyMatch(name -> name.startsWith(prefix));
    }

    /** What may have been meant by words that call nothing, nearest first, at most three. */
    List<String> suggestions(List<String> words) {
        return byName.keySet().stream()
                .map(name -> Map.entry(name, distance(name, words)))
                .filter(entry ->
                        entry.getValue() <= Math.min(NEAR, entry.getKey().length() / 2))
                .sorted(Comparator.<Map.Entry<String, Integer>>comparingInt(Map.Entry::getValue)
                        .thenComparing(Map.Entry::getKey))
                .limit(3)
                .map(Map.Entry::getKey)
                .toList();
    }

    /** Of as many words as both have. */
    private static int distance(String name, List<String> words) {
        List<String> parts = List.of(name.split(" "));
        int length = Math.min(parts.size(), words.size());
        return Spelling.distance(
                String.join(" ", parts.subList(0, length)), String.join(" ", words.subList(0, length)));
    }
}
