// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Native;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.api.transport.Transport;
import org.kmorph.it.kernels.guest.VsockInGuest;
import org.kmorph.nativeos.VsockSockets;
import org.kmorph.transportvsock.VsockTransport;
import org.slf4j.Logger;

/**
 * transport-vsock where this machine's kernel has AF_VSOCK: on a JVM in a guest, over the kernel's own vsock_loopback and, as a host,
 * over kerf-vsock.ko to another guest. {@code src/test/python/af_vsock.py} does the work. Needs what {@code ./kmorph kernels --tests} fetches.
 */
class AfVsockTest {
    private static final Duration DEADLINE = Duration.ofMinutes(6);

    @TempDir
    private Path directory;

    @Test
    void transportReachesKernelsOverTheMachinesOwnVsock() throws Exception {
        Path output = directory.resolve("output");
        List<String> command = new ArrayList<>(List.of(
                "python3",
                Path.of(System.getProperty("kmorph.root"), "integration-tests/src/test/python/af_vsock.py")
                        .toString(),
                System.getProperty("java.home"),
                classes().toString()));
        Stream.of(Transport.class, VsockSockets.class, VsockTransport.class, Native.class, Logger.class)
                .map(AfVsockTest::place)
                .forEach(command::add);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
        String said = Files.readString(output);
        System.out.println(said);
        assertThat(ended).as("ended within %s; it said:\n%s", DEADLINE, said).isTrue();
        assertThat(process.exitValue()).as("its status; it said:\n%s", said).isZero();
        assertThat(said)
                .contains("ok     vsock_loopback: bytes there and back", "ok     kerf-vsock: the peer's end")
                .doesNotContain("FAILED");
    }

    /** The guest's own classes, and nothing else of the tests. */
    private Path classes() throws Exception {
        Path from = Path.of(place(VsockInGuest.class));
        Path to = directory.resolve("classes");
        String name = VsockInGuest.class.getPackageName().replace('.', '/');
        Files.createDirectories(to.resolve(name));
        try (Stream<Path> files = Files.list(from.resolve(name))) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(name).resolve(file.getFileName()));
            }
        }
        return to;
    }

    /** The jar or directory that a class came from. */
    private static String place(Class<?> type) {
        try {
            URI location =
                    type.getProtectionDomain().getCodeSource().getLocation().toURI();
            return Path.of(location).toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
