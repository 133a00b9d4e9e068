// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Configuration files as a person edits them. */
class ConfigurationTest {
    private Kmorph kmorph;

    @BeforeEach
    void unpack() {
        kmorph = Kmorph.unpack();
    }

    @AfterEach
    void remove() {
        kmorph.remove();
    }

    private static Map<String, Object> only(Result result) {
        List<Map<String, Object>> rows = result.jsonRows();
        assertThat(rows).hasSize(1);
        return rows.get(0);
    }

    @Test
    void aReloadAppliesWhatChangedAndSaysSo() {
        kmorph.start();
        assertThat(kmorph.ctl("daemon", "reload").ok().err()).contains("nothing has changed");
        kmorph.configure("org.kmorph.control.cfg", "max.connections = 7");
        Map<String, Object> change =
                only(kmorph.ctl("daemon", "reload", "-o", "json").ok());
        assertThat(change)
                .containsEntry("file", "org.kmorph.control.cfg")
                .containsEntry("outcome", "APPLIED")
                .containsEntry("detail", "max.connections: default -> 7");
        kmorph.ctl("daemon", "status").ok();
        assertThat(kmorph.ctl("daemon", "reload").ok().err()).contains("nothing has changed");
    }

    @Test
    void whatAReloadHasAppliedCountsWhenItReturns() {
        kmorph.start();
        TestBundle.configured(kmorph.home().resolve("deploy/greet.jar"), "1.0.0");
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> kmorph.ctl("greet").status() == 0);
        kmorph.configure("greet.cfg", "greeting = good morning");
        kmorph.ctl("daemon", "reload").ok();
        assertThat(kmorph.ctl("greet").ok().out()).contains("good morning");
    }

    @Test
    void aValueThatIsNotAcceptedChangesNothing() throws IOException {
        kmorph.start();
        String before = Files.readString(kmorph.home().resolve("etc/org.kmorph.journal.cfg"));
        for (String line : List.of(
                "history.days = many",
                "history.days = 0",
                "histroy.days = 3",
                "no equals sign",
                "history.days = ${nothing}")) {
            Files.writeString(kmorph.home().resolve("etc/org.kmorph.journal.cfg"), before + "\n" + line + "\n");
            Result result = kmorph.ctl("daemon", "reload", "-o", "json");
            assertThat(result.status()).as(line).isEqualTo(1);
            assertThat(only(result)).containsEntry("outcome", "REFUSED");
            assertThat(String.valueOf(only(result).get("detail"))).contains("line ");
        }
        kmorph.ctl("audit").ok();
    }

    @Test
    void aDaemonDoesNotStartOnAConfigurationThatItDoesNotUnderstand() {
        kmorph.configure("org.kmorph.journal.cfg", "history.days = forever");
        Result result = kmorph.ctl("daemon", "start");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err())
                .contains("org.kmorph.journal.cfg")
                .contains("history.days = \"forever\"")
                .contains("whole number");
    }

    @Test
    void whatTheRuntimeWouldRefuseIsRefusedByItsName() {
        for (String line : List.of("compiler.level = 5", "heap = 16m", "heap = 256", "heap = much", "heap = 0g")) {
            kmorph.configure("kmorphd.conf", line);
            Result result = kmorph.ctl("daemon", "start");
            assertThat(result.status()).as(line).isEqualTo(2);
            assertThat(result.err()).contains("kmorphd.conf").contains(line).contains("expected");
        }
    }

    @Test
    void aRemovedFileGivesBackTheDefaults() throws IOException {
        kmorph.configure("org.kmorph.control.cfg", "max.connections = 7");
        kmorph.start();
        Files.delete(kmorph.home().resolve("etc/org.kmorph.control.cfg"));
        assertThat(only(kmorph.ctl("daemon", "reload", "-o", "json").ok())).containsEntry("outcome", "REMOVED");
    }

    @Test
    void whatOnlyARestartAppliesIsSaid() {
        kmorph.start();
        kmorph.configure("kmorphd.conf", "heap = 200m");
        assertThat(only(kmorph.ctl("daemon", "reload", "-o", "json").ok()))
                .containsEntry("file", "kmorphd.conf")
                .containsEntry("outcome", "NEEDS_RESTART");
    }
}
