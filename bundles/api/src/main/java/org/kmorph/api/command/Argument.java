// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.command;

import java.util.List;
import java.util.Optional;

/**
 * A positional parameter or an option of a command. Made by {@link CommandSpec.Builder}.
 *
 * @param name {@code NAME} for a parameter, {@code heartbeat-timeout} (without dashes) for an option
 * @param position whether it stands by position, or is given as {@code --name=value}
 * @param type what its value may be
 * @param label how the value is called in help: {@code SEC}, {@code PATH}; empty for a flag
 * @param help one sentence
 * @param required whether the command cannot run without it
 * @param repeatable whether it may be given more than once; for a parameter: takes all words that follow
 * @param defaultValue the value when none was given
 * @param choices the only values there are, for {@link ValueType#CHOICE}; else empty
 */
public record Argument(
        String name,
        boolean position,
        ValueType type,
        String label,
        String help,
        boolean required,
        boolean repeatable,
        Optional<String> defaultValue,
        List<String> choices) {

    public Argument {
        choices = List.copyOf(choices);
    }
}
