// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleTest {
    @TempDir
    Path directory;

    private void wrote(String text) throws IOException {
        Files.writeString(directory.resolve("console.log"), text);
    }

    @Test
    void panicIsToldFromItsReasonOn() throws Exception {
        wrote("booting\n[1.0] Kernel panic - not syncing: sysrq triggered crash\n[1.1] CPU: 0\n[1.2] Call Trace:\n");
        assertThat(Console.panic(directory, 2, 0))
                .containsExactly("[1.0] Kernel panic - not syncing: sysrq triggered crash", "[1.1] CPU: 0");
    }

    @Test
    void panicWithoutItsReasonIsToldByTheLastLines() throws Exception {
        wrote("one\ntwo\nthree\n");
        assertThat(Console.panic(directory, 2, 1)).containsExactly("two", "three");
    }
}
