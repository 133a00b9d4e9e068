// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the README and the pages of docs/ show works as it stands there, and what they link to is there. */
class DocumentationTest {
    private static final Path ROOT = Path.of("..");

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)\\)");

    static Stream<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            docs.sorted().forEach(pages::add);
        }
        return pages.stream();
    }

    static Stream<Path> pagesWithCommands() throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path page : pages().toList()) {
            if (!commands(page).isEmpty()) {
                found.add(page);
            }
        }
        return found.stream();
    }

    @ParameterizedTest
    @MethodSource("pagesWithCommands")
    void everyCommandShownWorks(Path page) throws IOException {
        try (Kmorph kmorph = Kmorph.unpack()) {
            List<String> commands = commands(page);
            if (!commands.get(0).contains("daemon start")) {
                kmorph.start();
            }
            for (String command : commands) {
                Result result = Programs.run(kmorph.home(), Map.of(), "", List.of("sh", "-c", command));
                assertThat(result.status())
                        .as("%s%n%s%s", command, result.out(), result.err())
                        .isZero();
            }
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLinkLeadsSomewhere(Path page) throws IOException {
        assertThat(LINK.matcher(Files.readString(page)).results().map(link -> page.resolveSibling(link.group(1))))
                .allSatisfy(target -> assertThat(target).exists());
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
