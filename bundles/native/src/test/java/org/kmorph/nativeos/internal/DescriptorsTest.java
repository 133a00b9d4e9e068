// SPDX-License-Identifier: Apache-2.0
package org.kmorph.nativeos.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kmorph.nativeos.DescriptorSockets.DescriptorSocket;
import org.kmorph.nativeos.DescriptorSockets.Message;
import org.kmorph.nativeos.Descriptors.Mapping;
import org.kmorph.nativeos.Errno;
import org.kmorph.nativeos.ErrnoException;
import org.kmorph.nativeos.Poller;

/** Descriptors that another process made: received, waited for, used, and given back. */
class DescriptorsTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    /** Serves one connection: for each line read, "shm" or "many", sends descriptors; then says what it finds in its memory. */
    private static final String KEEPER =
            """
            import os, socket, sys
            s = socket.socket(socket.AF_UNIX)
            s.bind(sys.argv[1])
            s.listen(1)
            print("bound", flush=True)
            c = s.accept()[0]
            shm = os.memfd_create("shm")
            os.ftruncate(shm, 65536)
            bell = os.eventfd(0)
            while True:
                line = c.recv(100)
                if line == b"shm\\n":
                    socket.send_fds(c, [b"here\\n"], [shm, bell])
                elif line == b"many\\n":
                    socket.send_fds(c, [b"lots\\n"], [bell] * 40)
                elif line == b"read\\n":
                    print(os.pread(shm, 4, 4096).decode(), os.read(bell, 8)[0], flush=True)
                elif line == b"ring\\n":
                    os.eventfd_write(bell, 1)
                elif not line:
                    print("closed", flush=True)
                    break
                else:
                    c.close()
                    break
            """;

    private final LibcDescriptors descriptors = new LibcDescriptors();

    @TempDir
    Path directory;

    private Path socket;

    @BeforeEach
    void nameSocket() {
        socket = directory.resolve("keeper");
    }

    private PythonPeer keeper() throws IOException {
        PythonPeer keeper = new PythonPeer(KEEPER, socket.toString());
        assertThat(keeper.line()).isEqualTo("bound");
        return keeper;
    }

    private DescriptorSocket connect(Duration patience) throws IOException {
        return new LibcDescriptorSockets().connect(socket, patience);
    }

    private static byte[] line(String text) {
        return (text + "\n").getBytes(US_ASCII);
    }

    @Test
    void receivedMemoryAndDoorbellAreTheSendersOwn() throws IOException {
        try (PythonPeer keeper = keeper();
                DescriptorSocket connection = connect(LONG)) {
            connection.send(line("shm"));
            Message message = connection.receive(100, 4);
            assertThat(message.bytes()).asString(US_ASCII).isEqualTo("here\n");
            assertThat(message.descriptors()).hasSize(2);
            int bell = message.descriptors().get(1);
            try (Mapping mapping = descriptors.map(message.descriptors().get(0), 1 << 20)) {
                assertThat(mapping.memory().capacity()).isEqualTo(65536);
                mapping.memory().put(4096, line("abc"));
                descriptors.signal(bell);
                connection.send(line("read"));
                assertThat(keeper.line()).isEqualTo("abc");
                assertThat(keeper.line()).isEqualTo(" 1");
            }
            message.descriptors().forEach(descriptors::close);
        }
    }

    @Test
    void doorbellOfAnotherProcessEndsWaitingAndDrainingNeverBlocks() throws IOException {
        try (PythonPeer keeper = keeper();
                DescriptorSocket connection = connect(LONG);
                Poller poller = new EpollPollers().open()) {
            connection.send(line("shm"));
            List<Integer> got = connection.receive(100, 4).descriptors();
            int bell = got.get(1);
            descriptors.drain(bell);
            poller.watch(bell, true, false);
            connection.send(line("ring"));
            List<Integer> ready = new ArrayList<>();
            poller.await(20_000, (fd, readable, writable) -> ready.add(fd));
            assertThat(ready).containsExactly(bell);
            descriptors.drain(bell);
            descriptors.drain(bell);
            poller.await(0, (fd, readable, writable) -> ready.add(fd));
            assertThat(ready).containsExactly(bell);
            got.forEach(descriptors::close);
        }
    }

    @Test
    void moreDescriptorsThanExpectedAreRefusedAndClosed() throws IOException {
        try (PythonPeer keeper = keeper();
                DescriptorSocket connection = connect(LONG)) {
            List<Path> before = openDescriptors();
            connection.send(line("many"));
            ErrnoException e = catchThrowableOfType(ErrnoException.class, () -> connection.receive(100, 4));
            assertThat(e.is(Errno.EMSGSIZE)).isTrue();
            assertThat(openDescriptors()).hasSameSizeAs(before);
        }
    }

    @Test
    void endOfTheOtherProcessIsAnEmptyMessageAndWakesThePoller() throws IOException {
        try (PythonPeer keeper = keeper();
                DescriptorSocket connection = connect(LONG);
                Poller poller = new EpollPollers().open()) {
            poller.watch(connection.fd(), true, false);
            connection.send(line("end"));
            List<Integer> ready = new ArrayList<>();
            poller.await(20_000, (fd, readable, writable) -> ready.add(fd));
            assertThat(ready).containsExactly(connection.fd());
            assertThat(connection.receive(100, 4).bytes()).isEmpty();
        }
    }

    @Test
    void silentKeeperIsGivenUp() throws IOException {
        try (PythonPeer keeper = keeper();
                DescriptorSocket connection = connect(Duration.ofMillis(50))) {
            ErrnoException e = catchThrowableOfType(ErrnoException.class, () -> connection.receive(100, 4));
            assertThat(e.is(Errno.EAGAIN)).isTrue();
        }
    }

    @Test
    void nobodyListeningIsAnErrorThatNamesTheSocket() {
        ErrnoException e = catchThrowableOfType(ErrnoException.class, () -> connect(LONG));
        assertThat(e).hasMessage("connect(" + socket + "): ENOENT (2)");
    }

    @Test
    void fileThatIsTooLargeOrEmptyIsNotMapped() throws IOException {
        try (PythonPeer keeper = keeper();
                DescriptorSocket connection = connect(LONG)) {
            connection.send(line("shm"));
            List<Integer> got = connection.receive(100, 4).descriptors();
            ErrnoException large = catchThrowableOfType(ErrnoException.class, () -> descriptors.map(got.get(0), 65535));
            assertThat(large.is(Errno.EFBIG)).isTrue();
            got.forEach(descriptors::close);
        }
    }

    @Test
    void wakingEndsWaitingFromAnotherThreadAndDoesNothingAfterTheEnd() throws IOException, InterruptedException {
        Poller poller = new EpollPollers().open();
        Thread other = new Thread(poller::wake);
        other.start();
        poller.await(-1, (fd, readable, writable) -> {
            throw new AssertionError("descriptor " + fd + " was told of");
        });
        other.join();
        poller.close();
        poller.close();
        poller.wake();
    }

    @Test
    void descriptorThatIsClosedCannotBeWatched() throws IOException {
        try (Poller poller = new EpollPollers().open()) {
            int fd = descriptors.newCounter();
            descriptors.close(fd);
            ErrnoException e = catchThrowableOfType(ErrnoException.class, () -> poller.watch(fd, true, false));
            assertThat(e.is(Errno.EBADF)).isTrue();
        }
    }

    @Test
    void buffersAreReadAndWrittenOneAfterTheOther() throws IOException {
        String echo = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen(1)\n"
                + "print('bound',flush=True)\nc=s.accept()[0]\nc.sendall(c.recv(100))\n";
        try (PythonPeer peer = new PythonPeer(echo, socket.toString())) {
            assertThat(peer.line()).isEqualTo("bound");
            try (DescriptorSocket connection = connect(LONG)) {
                LibcVsockSockets sockets = new LibcVsockSockets();
                ByteBuffer abc = direct("xabc").position(1);
                ByteBuffer de = direct("de");
                assertThat(sockets.write(connection.fd(), List.of(abc, de))).isEqualTo(5);
                assertThat(abc.hasRemaining() || de.hasRemaining()).isFalse();
                ByteBuffer two = ByteBuffer.allocateDirect(2);
                ByteBuffer rest = ByteBuffer.allocateDirect(100);
                assertThat(sockets.read(connection.fd(), List.of(two, rest))).isEqualTo(5);
                assertThat(US_ASCII.decode(two.flip()).toString()).isEqualTo("ab");
                assertThat(US_ASCII.decode(rest.flip()).toString()).isEqualTo("cde");
                rest.clear();
                assertThat(sockets.read(connection.fd(), List.of(rest))).isEqualTo(-1);
            }
        }
    }

    private static ByteBuffer direct(String text) {
        return ByteBuffer.allocateDirect(text.length())
                .put(text.getBytes(US_ASCII))
                .flip();
    }

    private static List<Path> openDescriptors() throws IOException {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.toList();
        }
    }
}
