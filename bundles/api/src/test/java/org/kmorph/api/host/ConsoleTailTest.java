// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleTailTest {
    @TempDir
    Path directory;

    private void wrote(String file, String text) throws IOException {
        Files.writeString(directory.resolve(file), text);
    }

    @Test
    void lastLinesComeWithoutControlCharacters() throws IOException {
        wrote("console.log", "one\r\n\u001b[2Jtwo\r\n\r\nthree");
        assertThat(ConsoleTail.last(directory, 2)).containsExactly("[2Jtwo", "three");
    }

    @Test
    void consoleThatIsNotThereHasNoLines() {
        assertThat(ConsoleTail.last(directory, 2)).isEmpty();
    }

    @Test
    void aLogThatWasJustBegunIsNotAllThereIs() throws IOException {
        wrote("console.log.1", "one\ntwo\n");
        wrote("console.log", "three\n");
        assertThat(ConsoleTail.last(directory, 2)).containsExactly("two", "three");
    }

    @Test
    void ofMuchOnlyTheEndIsRead() throws IOException {
        wrote("console.log", "x".repeat(1 << 20) + "\nthe end\n");
        assertThat(ConsoleTail.last(directory, 10)).hasSize(2).last().isEqualTo("the end");
    }
}
