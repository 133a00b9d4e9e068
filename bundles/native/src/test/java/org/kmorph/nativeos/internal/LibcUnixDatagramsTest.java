// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.UnixDatagrams;

class LibcUnixDatagramsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** Binds the address that it is given, says so, then prints each datagram; with "idle" it never reads any. */
    private static final String RECEIVER =
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            a = sys.argv[1]
            s.bind("\\0" + a[1:] if a[0] == "@" else a)
            print("bound", flush=True)
            if sys.argv[2] == "idle":
                sys.stdin.read()
            else:
                print(repr(s.recv(65536)), flush=True)
            """;

    private final UnixDatagrams datagrams = new LibcUnixDatagrams();

    @TempDir
    Path directory;

    @Test
    void pathReceivesTheWholeMessage() throws IOException {
        Path socket = directory.resolve("notify");
        try (Receiver receiver = new Receiver(socket.toString(), "read")) {
            datagrams.send(socket.toString(), "READY=1\nSTATUS=grün".getBytes(UTF_8), SECOND);
            assertThat(receiver.line()).isEqualTo("b'READY=1\\nSTATUS=gr\\xc3\\xbcn'");
        }
    }

    @Test
    void abstractNameReceivesTheWholeMessage() throws IOException {
        String name = "@kmorph-test-" + ProcessHandle.current().pid();
        try (Receiver receiver = new Receiver(name, "read")) {
            datagrams.send(name, "WATCHDOG=1".getBytes(UTF_8), SECOND);
            assertThat(receiver.line()).isEqualTo("b'WATCHDOG=1'");
        }
    }

    @Test
    void nobodyListeningIsAnErrorThatNamesTheSocket() {
        Path socket = directory.resolve("nobody");
        ErrnoException e = catchThrowableOfType(
                ErrnoException.class, () -> datagrams.send(socket.toString(), new byte[1], SECOND));
        assertThat(e.is(Errno.ENOENT)).isTrue();
        assertThat(e).hasMessage("sendto(" + socket + "): ENOENT (2)");
    }

    @Test
    void receiverThatNeverReadsIsGivenUp() throws IOException {
        try (Receiver receiver = new Receiver(directory.resolve("full").toString(), "idle")) {
            ErrnoException e = catchThrowableOfType(ErrnoException.class, () -> {
                for (int i = 0; i < 10_000; i++) {
                    datagrams.send(receiver.address, new byte[1], Duration.ofMillis(20));
                }
            });
            assertThat(e.is(Errno.EAGAIN)).isTrue();
        }
    }

    @Test
    void noDescriptorIsLeftBehind() throws IOException {
        Path socket = directory.resolve("nobody");
        long before = openDescriptors();
        for (int i = 0; i < 200; i++) {
            assertThatThrownBy(() -> datagrams.send(socket.toString(), new byte[1], SECOND))
                    .isInstanceOf(ErrnoException.class);
        }
        assertThat(openDescriptors()).isLessThan(before + 100);
    }

    @Test
    void addressThatCannotBeOneIsRefused() {
        assertThatThrownBy(() -> datagrams.send("relative", new byte[1], SECOND))
                .hasMessageContaining("relative");
        assertThatThrownBy(() -> datagrams.send("/" + "x".repeat(107), new byte[1], SECOND))
                .hasMessageContaining("at most 107");
        assertThatThrownBy(() -> datagrams.send("/a\0b", new byte[1], SECOND))
                .hasMessageContaining("none of them zero");
    }

    private static long openDescriptors() throws IOException {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    private static final class Receiver implements AutoCloseable {
        final String address;
        private final PythonPeer peer;

        Receiver(String address, String mode) throws IOException {
            this.address = address;
            peer = new PythonPeer(RECEIVER, address, mode);
            assertThat(line()).isEqualTo("bound");
        }

        String line() throws IOException {
            return peer.line();
        }

        @Override
        public void close() {
            peer.close();
        }
    }
}
