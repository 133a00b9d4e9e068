// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.morph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kmorph.shellcommands.Fakes.fake;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kmorph.api.command.CommandContext;
import org.kmorph.api.command.CommandException;
import org.kmorph.api.command.ExitCode;
import org.kmorph.api.instance.Instances;
import org.kmorph.api.morph.Morphs;

class MorphCommandTest {
    private final MorphCommand command = new MorphCommand(
            fake(Morphs.class, (method, argument) -> {
                throw new AssertionError("nothing is morphed, so nobody is asked to " + method);
            }),
            fake(Instances.class, (method, argument) -> {
                throw new AssertionError("nothing is morphed, so nobody is asked to " + method);
            }));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            group=front max-unavailable=0         | --max-unavailable is 0; expected 1 or more
            group=front max-unavailable=-3        | --max-unavailable is -3; expected 1 or more
            NAME=web max-unavailable=2            | --max-unavailable goes with --group=LABEL only
            NAME=web group=front                  | either an instance's name or --group=LABEL
            auto-commit=true                      | either an instance's name or --group=LABEL
            group=front dry-run=true              | --group goes with neither --dry-run nor --restart
            group=front restart=true              | --group goes with neither --dry-run nor --restart
            NAME=web dry-run=true restart=true    | --dry-run goes with neither --restart
            NAME=web dry-run=true auto-commit=true| nor --auto-commit
            """)
    void whatDoesNotGoTogetherIsRefused(String words, String why) {
        assertThatThrownBy(() -> command.run(given(words)))
                .isInstanceOfSatisfying(
                        CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.USAGE))
                .hasMessageContaining(why);
    }

    private static CommandContext given(String words) {
        Map<String, String> values = Arrays.stream(words.split(" "))
                .map(word -> word.split("="))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        return fake(CommandContext.class, (method, name) -> {
            Optional<String> value = Optional.ofNullable(values.get(name));
            return switch (method) {
                case "flag" -> value.isPresent();
                case "optionalText" -> value;
                case "integer" -> value.map(Long::valueOf);
                case "duration" -> Optional.empty();
                case "path" -> Optional.of(Path.of("/boot/vmlinuz"));
                default -> throw new UnsupportedOperationException(method);
            };
        });
    }
}
