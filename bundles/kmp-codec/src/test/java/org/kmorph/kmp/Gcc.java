// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Compiles C against kernel/include, with warnings as errors. */
final class Gcc {
    private Gcc() {}

    static void run(List<String> arguments) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"));
        command.add("-I" + SpecificationPage.root().resolve("kernel/include"));
        command.addAll(arguments);
        try {
            output(command);
        } catch (IOException e) {
            fail(
                    "gcc and the C library's headers are needed to check kernel/include/kmp.h: apt-get install gcc libc6-dev",
                    e);
        }
    }

    /** What a program writes; its errors go to ours. */
    static byte[] output(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        byte[] output = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).as("exit status of %s", command).isZero();
        return output;
    }
}
