// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FullDiskTest {
    @TempDir
    Path scratch;

    @TempDir
    Path mount;

    /** On a tmpfs in a mount namespace of its own, which goes with the process. */
    @Test
    void aFullDiskIsAnErrorTheCallerSeesAndServiceContinues() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs -o size=2m kmorph \"$0\" || exit 77; exec \"$@\"",
                mount.toString()));
        command.addAll(new ChildJvm(scratch).command(FullDiskVictim.class, mount.toString()));
        Path output = scratch.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends in time").isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue())
                .as(
                        "needs unshare (util-linux) and user namespaces (sysctl user.max_user_namespaces) for a small file"
                                + " system; its output: %s",
                        Files.readString(output, StandardCharsets.UTF_8))
                .isZero();
    }
}
