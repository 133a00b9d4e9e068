// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every command of the README's tour, in its order, in an unpacked distribution. */
class ReadmeTest {
    @Test
    void everyCommandOfTheTourWorks() throws IOException {
        List<String> commands = commands(Path.of("../README.md"));
        assertThat(commands).hasSizeGreaterThan(5);
        Kmorph kmorph = Kmorph.unpack();
        try {
            for (String command : commands) {
                Result result = Programs.run(kmorph.home(), Map.of(), "", List.of("sh", "-c", command));
                assertThat(result.status())
                        .as("%s%n%s%s", command, result.out(), result.err())
                        .isZero();
            }
        } finally {
            kmorph.remove();
        }
    }

    /** The lines after {@code $} in the blocks marked as console. */
    private static List<String> commands(Path page) throws IOException {
        List<String> commands = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(page)) {
            if (line.startsWith("```")) {
                inside = line.equals("```console");
            } else if (inside && line.startsWith("$ ")) {
                commands.add(line.substring(2));
            }
        }
        return commands;
    }
}
