// SPDX-License-Identifier: Apache-2.0
package org.kmorph.systemd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.nativeos.internal.LibcUnixDatagrams;

/** What arrives at a datagram socket that stands where systemd's would. */
class LinkTest {
    private static final String SYSTEMD =
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(sys.argv[1])
            print("bound", flush=True)
            while True:
                print(s.recv(65536).decode().replace("\\n", "|"), flush=True)
            """;
    private static final String READY =
            "READY=1|MAINPID=" + ProcessHandle.current().pid() + "|STATUS=running";

    @TempDir
    Path directory;

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final AtomicReference<Optional<String>> problem = new AtomicReference<>(Optional.of("not yet"));
    private Process systemd;
    private Link link;

    @BeforeEach
    void listen() throws IOException {
        String socket = directory.resolve("notify").toString();
        systemd = new ProcessBuilder("python3", "-c", SYSTEMD, socket)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader out = systemd.inputReader(UTF_8);
        assertThat(out.readLine()).isEqualTo("bound");
        Thread reader = new Thread(() -> out.lines().forEach(heard::add));
        reader.setDaemon(true);
        reader.start();
        link = new Link(new LibcUnixDatagrams(), socket, Optional.of(Duration.ofMillis(100)), problem::get);
        link.start();
    }

    @AfterEach
    void end() {
        link.close();
        systemd.destroyForcibly();
    }

    @Test
    void readyIsSaidOnceTheDaemonAnswersAndSignsOfLifeFollow() {
        link.reloading();
        await().until(() -> heard.size() == 1);
        assertThat(heard.get(0)).startsWith("RELOADING=1");
        problem.set(Optional.empty());
        await().until(() -> heard.size() > 4);
        assertThat(heard.get(1)).isEqualTo(READY);
        assertThat(List.copyOf(heard).subList(2, 5)).containsOnly("WATCHDOG=1");
    }

    @Test
    void daemonThatDoesNotAnswerGivesNoSignOfLifeUntilItDoes() {
        problem.set(Optional.empty());
        await().until(() -> heard.contains("WATCHDOG=1"));
        problem.set(Optional.of("no greeting"));
        await().until(() -> heard.contains("STATUS=does not answer: no greeting"));
        int then = heard.size();
        // a message of our own making shows that time went by: three more checks failed
        for (int i = 0; i < 3; i++) {
            String next = "again " + i;
            problem.set(Optional.of(next));
            await().until(() -> heard.contains("STATUS=does not answer: " + next));
        }
        List<String> since = List.copyOf(heard);
        assertThat(since.subList(then, since.size())).doesNotContain("WATCHDOG=1");
        problem.set(Optional.empty());
        await().until(() -> heard.get(heard.size() - 1).equals("WATCHDOG=1") && heard.contains("STATUS=running"));
    }

    @Test
    void stoppingIsTheLastWord() {
        problem.set(Optional.empty());
        await().until(() -> heard.contains("WATCHDOG=1"));
        link.stopping();
        link.reloaded();
        await().until(() -> heard.contains("STOPPING=1|STATUS=stopping"));
        assertThat(heard.get(heard.size() - 1)).isEqualTo("STOPPING=1|STATUS=stopping");
    }

    @Test
    void reloadIsFramedByReloadingAndReady() {
        problem.set(Optional.empty());
        await().until(() -> heard.contains("WATCHDOG=1"));
        link.reloading();
        link.reloaded();
        await().until(() ->
                heard.lastIndexOf(READY) > heard.indexOf("RELOADING=1|STATUS=reading the configuration again")
                        && heard.contains("RELOADING=1|STATUS=reading the configuration again"));
    }

    @Test
    void watchdogCountsOnlyForThisProcessAndAPositiveLimit() {
        assertThat(SystemdComponent.watchdog(Map.of("WATCHDOG_USEC", "3000000"), 7))
                .contains(Duration.ofSeconds(3));
        assertThat(SystemdComponent.watchdog(Map.of("WATCHDOG_USEC", "3000000", "WATCHDOG_PID", "7"), 7))
                .contains(Duration.ofSeconds(3));
        assertThat(SystemdComponent.watchdog(Map.of("WATCHDOG_USEC", "3000000", "WATCHDOG_PID", "8"), 7))
                .isEmpty();
        assertThat(SystemdComponent.watchdog(Map.of("WATCHDOG_USEC", "0"), 7)).isEmpty();
        assertThat(SystemdComponent.watchdog(Map.of("WATCHDOG_USEC", "soon"), 7))
                .isEmpty();
        assertThat(SystemdComponent.watchdog(Map.of(), 7)).isEmpty();
    }
}
