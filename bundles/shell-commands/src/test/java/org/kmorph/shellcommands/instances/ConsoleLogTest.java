// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleLogTest {
    @TempDir
    Path directory;

    private void append(String text) throws IOException {
        Files.writeString(directory.resolve("console.log"), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Test
    void olderFileComesFirstAndWhatIsAddedComesLater() throws IOException {
        Files.writeString(directory.resolve("console.log.1"), "one\n");
        append("two\n");
        try (ConsoleLog log = new ConsoleLog(directory)) {
            assertThat(log.next() + log.next()).isEqualTo("one\ntwo\n");
            assertThat(log.next()).isEmpty();
            append("three\n");
            assertThat(log.next()).isEqualTo("three\n");
        }
    }

    @Test
    void nothingIsLostWhenTheFileIsPutAsideMeanwhile() throws IOException {
        append("one\n");
        try (ConsoleLog log = new ConsoleLog(directory)) {
            assertThat(log.next()).isEqualTo("one\n");
            append("two\n");
            Files.move(directory.resolve("console.log"), directory.resolve("console.log.1"));
            append("three\n");
            assertThat(log.next() + log.next()).isEqualTo("two\nthree\n");
            assertThat(log.next()).isEmpty();
        }
    }

    @Test
    void terminalIsNotSteered() throws IOException {
        append("a\u001b[2Jb\r\n\tc\u0007\n");
        try (ConsoleLog log = new ConsoleLog(directory)) {
            assertThat(log.next()).isEqualTo("a[2Jb\n\tc\n");
        }
    }
}
