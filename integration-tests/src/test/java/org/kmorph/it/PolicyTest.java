// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Policies from outside: values and where they come from, files, and a policy that somebody drops in. */
class PolicyTest {
    private static final int USAGE = 2;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private Kmorph kmorph;
    private LocalInstances instances;

    @BeforeEach
    void start() {
        kmorph = Kmorph.unpack();
        kmorph.configure("org.kmorph.deploy.cfg", "poll.ms = 50");
        kmorph.start();
        instances = new LocalInstances(kmorph);
        instances.spawn("web").ok();
    }

    @AfterEach
    void stop() {
        kmorph.ctl("terminate", "web", "--force");
        kmorph.remove();
    }

    private Map<String, Object> shown(String setting) {
        return kmorph.ctl("policy", "show", "--instance=web", "-o", "json").ok().jsonRows().stream()
                .filter(row -> row.get("setting").equals(setting))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void valuesCountFromTheNearestOnAndOutliveTheDaemon() {
        assertThat(shown("heartbeat-timeout")).containsEntry("value", "1s").containsEntry("from", "built in");
        kmorph.ctl("policy", "default", "profile", "development").ok();
        assertThat(shown("heartbeat-timeout")).containsEntry("value", "1m").containsEntry("from", "profile");
        kmorph.ctl("policy", "set", "heartbeat-timeout", "web", "0.5").ok();
        kmorph.ctl("policy", "set", "auto-heal", "web", "disabled").ok();
        kmorph.kill();
        kmorph.start();
        assertThat(shown("heartbeat-timeout")).containsEntry("value", "500ms").containsEntry("from", "instance");
        assertThat(shown("auto-heal")).containsEntry("value", "disabled");
        kmorph.ctl("policy", "unset", "auto-heal", "web").ok();
        assertThat(shown("auto-heal")).containsEntry("value", "enabled");
        assertThat(kmorph.ctl("policy", "set", "auto-heal", "nobody", "enabled").status())
                .isEqualTo(4);
        Result refused = kmorph.ctl("policy", "set", "heartbeat-timeout", "web", "never");
        assertThat(refused.status()).isEqualTo(USAGE);
        assertThat(refused.err()).contains("expected a time from 30ms to 1h");
    }

    @Test
    void aFileIsTakenWholeOrNotAtAll() throws IOException {
        kmorph.ctl("policy", "set", "morph-timeout", "web", "2m").ok();
        Path file = kmorph.home().resolve("policies.json");
        kmorph.ctl("policy", "export", "--output=" + file).ok();
        kmorph.ctl("policy", "unset", "morph-timeout", "web").ok();
        kmorph.ctl("policy", "default", "profile", "development").ok();
        kmorph.ctl("policy", "import", file.toString()).ok();
        assertThat(shown("morph-timeout")).containsEntry("value", "2m");
        assertThat(shown("profile")).containsEntry("from", "built in");

        String before = kmorph.ctl("policy", "export").ok().out();
        Files.writeString(file, before.replace("\"2m\"", "\"2 months\""));
        Result refused = kmorph.ctl("policy", "import", file.toString());
        assertThat(refused.status()).isEqualTo(USAGE);
        assertThat(refused.err()).contains("instance \"web\": morph-timeout is \"2 months\"", "nothing was changed");
        assertThat(kmorph.ctl("policy", "export").ok().out()).isEqualTo(before);
    }

    @Test
    void aPolicyThatIsDroppedInIsUsableByNameAndMissedWhenItLeaves() throws IOException {
        assertThat(kmorph.ctl("policy", "set", "health-policy", "web", "storage")
                        .err())
                .contains("health-policy \"storage\" is not installed; there is phi, timeout");
        kmorph.ctl("policy", "set", "health-policy", "web", "phi").ok();
        awaitPolicy("phi");

        Path dropped = kmorph.home().resolve("deploy/storage-policy-0.1.0.jar");
        Path whole = Files.copy(sample(), kmorph.home().resolve("storage-policy.jar"));
        Files.move(whole, dropped, StandardCopyOption.ATOMIC_MOVE);
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> kmorph.ctl("policy", "set", "health-policy", "web", "storage")
                                .status()
                        == 0);
        awaitPolicy("storage");
        kmorph.ctl("policy", "set", "health-options", "web", "storage.slow-ms=60000")
                .ok();
        instances.awaitHealth("web", "HEALTHY");
        assertThat(kmorph.ctl("policy", "set", "health-options", "web", "storage.slow-ms=0")
                        .err())
                .contains("expected a whole number from 1 to 60000");

        Files.delete(dropped);
        awaitPolicy("timeout");
        assertThat(String.valueOf(heartbeat().get("troubles")))
                .contains("\"storage\" is not installed; timeout judges instead");
        assertThat(kmorph.log()).contains("\"storage\" is not installed; timeout judges instead");
        instances.awaitHealth("web", "HEALTHY");
        kmorph.ctl("policy", "set", "auto-heal", "web", "disabled").ok();
    }

    private static Path sample() throws IOException {
        try (Stream<Path> built = Files.list(Path.of(System.getProperty("kmorph.samples"), "storage-policy/target"))) {
            return built.filter(path -> path.getFileName().toString().matches("storage-policy-[0-9.]+\\.jar"))
                    .findFirst()
                    .orElseThrow(() -> new UncheckedIOException(new IOException("the sample is not built")));
        }
    }

    private Map<String, Object> heartbeat() {
        return kmorph.ctl("heartbeat", "web", "-o", "json").ok().json();
    }

    private void awaitPolicy(String name) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(heartbeat())
                .containsEntry("policy", name));
    }
}
