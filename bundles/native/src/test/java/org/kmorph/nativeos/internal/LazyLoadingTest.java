// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Loading JNA costs start time; the daemon must not pay it before something native is asked for. */
class LazyLoadingTest {
    /** Run in a JVM of its own, which says what it loads. */
    static final class Components {
        private Components() {}

        public static void main(String[] arguments) throws IOException {
            LibcAccounts accounts = new LibcAccounts();
            new LibcUnixDatagrams();
            System.out.println("components made");
            accounts.self();
        }
    }

    @Test
    void componentsLoadNothingNativeBeforeFirstUse() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-verbose:class",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Components.class.getName())
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(out).isZero();
        int made = out.indexOf("components made");
        assertThat(out.substring(0, made)).doesNotContain("com.sun.jna.Native");
        assertThat(out.substring(made)).contains("com.sun.jna.Native");
    }
}
