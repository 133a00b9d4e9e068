// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The other end of a test: a Python program that says what it sees, and ends with the test. */
final class PythonPeer implements AutoCloseable {
    private final Process process;
    private final BufferedReader out;

    PythonPeer(String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("python3", "-c", program));
        command.addAll(Arrays.asList(arguments));
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        out = process.inputReader(UTF_8);
    }

    String line() throws IOException {
        return out.readLine();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
