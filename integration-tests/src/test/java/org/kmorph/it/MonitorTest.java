// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.jline.builtins.ScreenTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code monitor} before a person at a terminal, and in a pipe. */
class MonitorTest {
    private static final String INTERRUPT = "\u0003";
    private static final String ALTERNATE_SCREEN = "\033[?1049h";
    private static final String FORMER_SCREEN = "\033[?1049l";
    private static final String SHOWN_CURSOR = "\033[?25h";
    private static final Pattern COLOUR = Pattern.compile("\033\\[[0-9;]*3[0-8][;m]");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @RegisterExtension
    static final Kmorph KMORPH = new Kmorph();

    private final LocalInstances instances = new LocalInstances(KMORPH);
    private final ScreenTerminal screen = new ScreenTerminal(Pty.COLUMNS, Pty.ROWS);

    @BeforeEach
    void spawn() {
        for (String name : List.of("one", "two")) {
            instances.spawn(name).ok();
            instances.awaitHealth(name, "HEALTHY");
        }
    }

    @AfterEach
    void terminate() {
        for (String name : List.of("one", "two", "three")) {
            KMORPH.ctl("terminate", name, "--force");
        }
    }

    @Test
    void aFullScreenIsSortedAndResizedAndLeavesTheTerminalAsItWas() throws InterruptedException {
        try (Pty terminal = monitor(Map.of())) {
            terminal.await(ALTERNATE_SCREEN);
            awaitScreen("2 instances: 2 HEALTHY");
            awaitScreen("1-2 of 2 by health");
            assertThat(line(1)).startsWith("NAME  ").contains(" HEALTH ", " CPU ", " MEMORY ", " RTT ");
            assertThat(line(2)).startsWith("one  ").contains("RUNNING", "HEALTHY", " %", " ms");
            terminal.type("n");
            awaitScreen("1-2 of 2 by name ");
            terminal.type("n");
            awaitScreen("1-2 of 2 by name reversed");
            assertThat(line(2)).startsWith("two  ");
            screen.setSize(60, 12);
            terminal.resize(60, 12);
            Awaitility.await().atMost(PATIENCE).until(() -> line(11).startsWith("1-2 of 2 by name reversed"));
            assertThat(line(1)).contains("HEALTH").doesNotContain("MEMORY");
            assertThat(line(2)).startsWith("two  ");
            terminal.type(INTERRUPT);
            terminal.await(SHOWN_CURSOR);
            terminal.await(FORMER_SCREEN);
            assertThat(terminal.await("12 60")).contains("left 0").contains("as before");
            assertThat(terminal.status()).isZero();
        }
    }

    @Test
    void whoWantsNoColoursHasNone() throws InterruptedException {
        for (Map<String, String> environment : List.of(Map.of("NO_COLOR", "1"), Map.<String, String>of())) {
            StringBuffer drawn = new StringBuffer();
            try (Pty terminal = Pty.run(kmorphctl("monitor"), environment, drawn::append)) {
                terminal.await("HEALTHY");
                terminal.await("by health");
                terminal.type("q");
                assertThat(terminal.status()).isZero();
            }
            assertThat(COLOUR.matcher(drawn).find()).isEqualTo(environment.isEmpty());
        }
    }

    /** A line that does not come is waited for by reading it. */
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aPipeGetsALineForEachChange() throws IOException {
        Process monitor = new ProcessBuilder(kmorphctl("monitor")).start();
        try (BufferedReader lines = monitor.inputReader(StandardCharsets.UTF_8)) {
            // how things are comes first
            assertThat(List.of(changed(lines), changed(lines), changed(lines), changed(lines)))
                    .containsExactlyInAnyOrder(
                            "one  health  HEALTHY: answers",
                            "two  health  HEALTHY: answers",
                            "one  instance  RUNNING",
                            "two  instance  RUNNING");
            instances.spawn("three").ok();
            List<String> seen = new ArrayList<>();
            do {
                seen.add(changed(lines));
            } while (!seen.get(seen.size() - 1).contains("-> HEALTHY"));
            assertThat(seen).allMatch(line -> line.startsWith("three  ")).doesNotHaveDuplicates();
            KMORPH.ctl("terminate", "three", "--force").ok();
            seen.clear();
            do {
                seen.add(changed(lines));
            } while (!seen.get(seen.size() - 1).equals("three  instance  GONE"));
            assertThat(seen).allMatch(line -> line.startsWith("three  ")).doesNotHaveDuplicates();
        } finally {
            monitor.destroy();
        }
    }

    /** A line without the time that it begins with. */
    private static String changed(BufferedReader lines) throws IOException {
        String line = lines.readLine();
        assertThat(line).matches("[0-9]{4}-[0-9]{2}-[0-9]{2}T.*").doesNotContain("\033");
        return line.substring(line.indexOf("  ") + 2);
    }

    private Pty monitor(Map<String, String> environment) {
        String script = "before=$(stty -g); \"$0\" monitor; echo left $?;"
                + " [ \"$before\" = \"$(stty -g)\" ] && echo as before; stty size";
        return Pty.run(List.of("/bin/sh", "-c", script, kmorphctl().get(0)), environment, screen::write);
    }

    private static List<String> kmorphctl(String... words) {
        List<String> all =
                new ArrayList<>(List.of(KMORPH.home().resolve("bin/kmorphctl").toString()));
        all.addAll(Arrays.asList(words));
        return all;
    }

    private void awaitScreen(String text) {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> assertThat(
                        screen.toString())
                .contains(text));
    }

    private String line(int number) {
        return screen.toString().split("\n", -1)[number];
    }
}
