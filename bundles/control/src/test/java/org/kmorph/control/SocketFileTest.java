// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SocketFileTest {
    private static final DaemonIdentity SELF = DaemonIdentity.ofThisProcess();

    @TempDir
    private Path directory;

    private Path path;

    @BeforeEach
    void choosePath() {
        path = directory.resolve("control.sock");
    }

    private SocketFile open() throws IOException {
        return SocketFile.open(path, Optional.empty(), SELF);
    }

    @Test
    void appearsWithItsModeAndNothingElseStays() throws IOException {
        SocketFile socket = open();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-rw----");
        assertThat(list()).containsExactly("control.sock");
        socket.close();
        assertThat(list()).isEmpty();
    }

    @Test
    void missingDirectoryIsMadeForOwnerAndGroup() throws IOException {
        path = directory.resolve("run/deep/control.sock");
        SocketFile socket = open();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.getParent())))
                .isEqualTo("rwxr-x---");
        socket.close();
    }

    @Test
    void socketOfAKilledDaemonIsReplaced() throws IOException {
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        Files.createDirectory(directory.resolve(".door-abc"));
        Files.createFile(directory.resolve(".door-abc/s"));
        SocketFile socket = open();
        assertThat(list()).containsExactly("control.sock");
        socket.close();
    }

    @Test
    void livingStrangerIsLeftAlone() throws Exception {
        String strange = "import socket,sys,struct,os\n"
                + "l=socket.socket(socket.AF_UNIX);l.bind(sys.argv[1]);l.listen();print('up',flush=True)\n"
                + "c,_=l.accept();c.sendall(struct.pack('>BIIHHIQ',0x81,20,0x4b4d4354,1,1,os.getpid(),0));os.read(0,1)";
        Process stranger = new ProcessBuilder("python3", "-c", strange, path.toString()).start();
        try {
            assertThat(stranger.inputReader().readLine()).isEqualTo("up");
            assertThatThrownBy(this::open)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("another kmorphd (process " + stranger.pid() + ")")
                    .hasMessageContaining("etc/org.kmorph.control.cfg");
            assertThat(list()).containsExactly("control.sock");
        } finally {
            stranger.destroyForcibly().waitFor();
        }
    }

    @Test
    void livingProgramThatSaysNothingIsLeftAlone() throws IOException {
        try (ServerSocketChannel mute = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            mute.bind(UnixDomainSocketAddress.of(path));
            assertThatThrownBy(this::open).hasMessageContaining("another program answers");
        }
    }

    @Test
    void fileInItsPlaceIsLeftAlone() throws IOException {
        Files.writeString(path, "precious");
        assertThatThrownBy(this::open).hasMessageContaining("a file in place of the control socket");
        assertThat(Files.readString(path)).isEqualTo("precious");
    }

    @Test
    void pathThatIsTooLongIsSaid() {
        path = directory.resolve("x".repeat(120));
        assertThatThrownBy(this::open).hasMessageContaining("too long");
    }

    @Test
    void unknownGroupIsSaidAndLeavesNothing() throws IOException {
        assertThatThrownBy(() -> SocketFile.open(path, Optional.of("no-such-group"), SELF))
                .hasMessageContaining("there is no group \"no-such-group\"");
        assertThat(list()).isEmpty();
    }

    @Test
    void predecessorDoesNotRemoveItsSuccessorsFile() throws IOException {
        SocketFile old = open();
        // its own process must greet, as a server does; without one it is taken for a stranger
        ControlServer serving = serve(old);
        SocketFile next = open();
        serving.drain(Duration.ZERO);
        assertThat(list()).containsExactly("control.sock");
        next.close();
        assertThat(list()).isEmpty();
    }

    private static ControlServer serve(SocketFile file) throws IOException {
        return ControlServer.start(file, new ControlServer.Settings(16, TestDoor.PATIENCE), new Runners(), channel -> {
            throw new AssertionError("nobody asks anything here");
        });
    }

    /** The real client calls in a loop while the door is replaced 30 times: each call is answered. */
    @Test
    void doorIsOpenAtEveryMomentOfASwap() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger failures = new AtomicInteger();
        TestDoor door = new TestDoor(directory, 16);
        Thread caller = new Thread(() -> {
            while (!done.get()) {
                try (Client client = Client.run(path, "exit", "0")) {
                    failures.addAndGet(client.exit() == 0 ? 0 : 1);
                    calls.incrementAndGet();
                } catch (IOException | InterruptedException e) {
                    failures.incrementAndGet();
                }
            }
        });
        caller.start();
        for (int i = 0; i < 30; i++) {
            int before = calls.get();
            TestDoor next = new TestDoor(directory, 16);
            door.server.drain(Duration.ofSeconds(30));
            assertThat(door.server.awaitEnd(Duration.ofSeconds(20))).isTrue();
            door = next;
            while (calls.get() == before) {
                Thread.onSpinWait();
            }
        }
        done.set(true);
        caller.join();
        door.close();
        assertThat(failures).hasValue(0);
        assertThat(calls).hasValueGreaterThanOrEqualTo(30);
    }

    @Test
    void commandsOfTheOldDoorFinishWhileTheNewOneServes() throws Exception {
        TestDoor old = new TestDoor(directory, 16);
        try (Client running = Client.run(path, "step")) {
            running.awaitOut("one ");
            try (TestDoor next = new TestDoor(directory, 16)) {
                old.server.drain(Duration.ofSeconds(30));
                try (Client other = Client.run(path, "echo", "new")) {
                    assertThat(other.exit()).isZero();
                }
                assertThat(next.socket).exists();
                old.commands.go.countDown();
                assertThat(running.exit()).isZero();
                assertThat(running.out()).isEqualTo("one two\n");
                assertThat(old.server.awaitEnd(Duration.ofSeconds(10))).isTrue();
            }
        }
    }

    @Test
    void drainIsBounded() throws Exception {
        TestDoor door = new TestDoor(directory, 16);
        try (Client running = Client.run(path, "hold")) {
            running.awaitOut("holding");
            door.server.drain(Duration.ofMillis(100));
            assertThat(running.exit()).isEqualTo(1);
            assertThat(running.err()).contains("cancelled");
            assertThat(door.server.awaitEnd(Duration.ofSeconds(10))).isTrue();
        }
    }

    private java.util.List<String> list() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }
}
