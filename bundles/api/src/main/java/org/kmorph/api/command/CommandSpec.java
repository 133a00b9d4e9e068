// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a command is called, takes and needs; help, completion, man pages, parsing and the role check all come from it.
 *
 * @param words the words that call it: {@code ["vmcore", "capture"]}
 * @param summary one line, no full stop
 * @param description what a person should know besides; paragraphs parted by an empty line; may be empty
 * @param role the least role that may run it
 * @param changes whether it changes anything; such a command is written to the audit log
 * @param data whether it prints data, and so takes {@code -o table|json|yaml}
 * @param slow whether it may take long, and so takes {@code --timeout}
 * @param arguments parameters in their order, then options
 * @param examples at least one
 */
public record CommandSpec(
        List<String> words,
        String summary,
        String description,
        Role role,
        boolean changes,
        boolean data,
        boolean slow,
        List<Argument> arguments,
        List<Example> examples) {

    public CommandSpec {
        words = List.copyOf(words);
        arguments = List.copyOf(arguments);
        examples = List.copyOf(examples);
        if (words.isEmpty()) {
            throw new IllegalArgumentException("a command needs at least one word");
        }
        for (String word : words) {
            if (!word.matches("[a-z][a-z0-9-]*")) {
                throw new IllegalArgumentException(
                        "command word \"" + word + "\" is not lower-case letters, digits, dashes");
            }
        }
        if (examples.isEmpty()) {
            throw new IllegalArgumentException("command \"" + String.join(" ", words) + "\" needs an example");
        }
    }

    /** The words as a person types them. */
    public String name() {
        return String.join(" ", words);
    }

    /** Begins a declaration: {@code CommandSpec.named("vmcore", "capture")}. */
    public static Builder named(String... words) {
        return new Builder(List.of(words));
    }

    /** Collects a declaration; one use, one thread. */
    public static final class Builder {
        private final List<String> words;
        private final List<Argument> parameters = new ArrayList<>();
        private final List<Argument> options = new ArrayList<>();
        private final List<Example> examples = new ArrayList<>();
        private String summary = "";
        private String description = "";
        private Role role = Role.ADMIN;
        private boolean changes;
        private boolean data;
        private boolean slow;

        private Builder(List<String> words) {
            this.words = words;
        }

        public Builder summary(String text) {
            summary = Objects.requireNonNull(text);
            return this;
        }

        public Builder description(String text) {
            description = Objects.requireNonNull(text);
            return this;
        }

        /** The least role that may run it, when it only reads. */
        public Builder reads(Role least) {
            role = least;
            changes = false;
            return this;
        }

        /** The least role that may run it, when it changes something. */
        public Builder changes(Role least) {
            role = least;
            changes = true;
            return this;
        }

        /** It prints data by {@link CommandContext#print}. */
        public Builder printsData() {
            data = true;
            return this;
        }

        /** It may take long. */
        public Builder slow() {
            slow = true;
            return this;
        }

        /** A word that must be given, by its position. */
        public Builder parameter(String name, ValueType type, String help) {
            parameters.add(new Argument(name, true, type, name, help, true, false, Optional.empty(), List.of()));
            return this;
        }

        /** A word that may be given, by its position. */
        public Builder optionalParameter(String name, ValueType type, String help) {
            parameters.add(new Argument(name, true, type, name, help, false, false, Optional.empty(), List.of()));
            return this;
        }

        /** All remaining words. */
        public Builder remaining(String name, ValueType type, String help) {
            parameters.add(new Argument(name, true, type, name, help, false, true, Optional.empty(), List.of()));
            return this;
        }

        /** A positional word out of a closed list. */
        public Builder choiceParameter(String name, String help, String... choices) {
            parameters.add(new Argument(
                    name, true, ValueType.CHOICE, name, help, true, false, Optional.empty(), List.of(choices)));
            return this;
        }

        /** {@code --name=LABEL}, may be left out. */
        public Builder option(String name, ValueType type, String label, String help) {
            options.add(new Argument(name, false, type, label, help, false, false, Optional.empty(), List.of()));
            return this;
        }

        /** {@code --name=LABEL} with a value for when it is left out. */
        public Builder option(String name, ValueType type, String label, String help, String defaultValue) {
            options.add(
                    new Argument(name, false, type, label, help, false, false, Optional.of(defaultValue), List.of()));
            return this;
        }

        /** {@code --name=LABEL} that must be given. */
        public Builder requiredOption(String name, ValueType type, String label, String help) {
            options.add(new Argument(name, false, type, label, help, true, false, Optional.empty(), List.of()));
            return this;
        }

        /** {@code --name=LABEL}, as often as one likes. */
        public Builder repeatableOption(String name, ValueType type, String label, String help) {
            options.add(new Argument(name, false, type, label, help, false, true, Optional.empty(), List.of()));
            return this;
        }

        /** {@code --name=a|b|c}. */
        public Builder choice(String name, String help, String defaultValue, String... choices) {
            options.add(new Argument(
                    name,
                    false,
                    ValueType.CHOICE,
                    String.join("|", choices),
                    help,
                    false,
                    false,
                    Optional.of(defaultValue),
                    List.of(choices)));
            return this;
        }

        /** {@code --name}. */
        public Builder flag(String name, String help) {
            options.add(new Argument(name, false, ValueType.FLAG, "", help, false, false, Optional.empty(), List.of()));
            return this;
        }

        public Builder example(String line, String effect) {
            examples.add(new Example(line, effect));
            return this;
        }

        public CommandSpec build() {
            List<Argument> all = new ArrayList<>(parameters);
            all.addAll(options);
            return new CommandSpec(words, summary, description, role, changes, data, slow, all, examples);
        }
    }
}
