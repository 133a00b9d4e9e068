// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kmorph.api.command.Argument;
import org.kmorph.api.command.CommandSpec;
import org.kmorph.api.command.ValueType;

/** The options that commands have without declaring them. */
final class Standard {
    static final String OUTPUT = "output";
    static final String TIMEOUT = "timeout";

    private static final Argument OUTPUT_OPTION = new Argument(
            OUTPUT,
            false,
            ValueType.CHOICE,
            "table|json|yaml",
            "how data is printed; -o is the same",
            false,
            false,
            Optional.of("table"),
            List.of("table", "json", "yaml"));

    private static final Argument TIMEOUT_OPTION = new Argument(
            TIMEOUT,
            false,
            ValueType.DURATION,
            "TIME",
            "when to give up (exit code 6)",
            false,
            false,
            Optional.empty(),
            List.of());

    private Standard() {}

    /** All that a command takes. */
    static List<Argument> argumentsOf(CommandSpec spec) {
        List<Argument> all = new ArrayList<>(spec.arguments());
        if (spec.data()) {
            all.add(OUTPUT_OPTION);
        }
        if (spec.slow()) {
            all.add(TIMEOUT_OPTION);
        }
        return all;
    }
}
