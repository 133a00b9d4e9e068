// SPDX-License-Identifier: Apache-2.0
package org.kmorph.systemd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelfCheckTest {
    private static final Duration SHORT = Duration.ofMillis(200);

    @TempDir
    Path directory;

    @Test
    void greetingIsAnAnswer() throws IOException {
        assertThat(check("81000000144b4d435400010001" + "00000001" + "0000000000000000"))
                .isEmpty();
    }

    @Test
    void absentSocketIsNone() {
        assertThat(new SelfCheck(directory.resolve("absent.sock"), SHORT).problem())
                .hasValueSatisfying(why -> assertThat(why).contains("absent.sock"));
    }

    @Test
    void connectionThatNobodyAcceptsIsNone() throws IOException {
        Path socket = directory.resolve("hung.sock");
        try (ServerSocketChannel hung = listen(socket)) {
            assertThat(hung.isOpen()).isTrue();
            assertThat(new SelfCheck(socket, SHORT).problem())
                    .hasValueSatisfying(why -> assertThat(why).contains("no greeting within 200 ms"));
        }
    }

    @Test
    void anotherProgramsAnswerIsNone() throws IOException {
        assertThat(check("485454502f312e31203430"))
                .hasValueSatisfying(why -> assertThat(why).contains("no greeting of kmorphd"));
    }

    @Test
    void halfAGreetingIsNone() throws IOException {
        assertThat(check("8100")).hasValueSatisfying(why -> assertThat(why).contains("closed without a greeting"));
    }

    private Optional<String> check(String hex) throws IOException {
        Path socket = directory.resolve("control.sock");
        Consumer<SocketChannel> answer = client -> {
            try (client) {
                client.write(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
        try (ServerSocketChannel server = listen(socket)) {
            Thread daemon = new Thread(() -> {
                try {
                    answer.accept(server.accept());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            daemon.start();
            return new SelfCheck(socket, Duration.ofSeconds(10)).problem();
        }
    }

    private static ServerSocketChannel listen(Path socket) throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
    }
}
