// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.kmorph.api.command.Caller;
import org.kmorph.api.command.Door;
import org.kmorph.api.command.Role;

/** A door with its own commands at a path of its own. */
final class TestDoor implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofMillis(300);

    final Path socket;
    final Runners runners = new Runners();
    final TestCommands commands = new TestCommands();
    final ControlServer server;

    TestDoor(Path directory, int maxConnections) throws IOException {
        this(directory, maxConnections, PATIENCE, TestDoor::admin);
    }

    TestDoor(Path directory, int maxConnections, Duration patience, ControlServer.PeerAuthority authority)
            throws IOException {
        socket = directory.resolve("control.sock");
        runners.set(commands);
        server = ControlServer.start(
                SocketFile.open(socket, Optional.empty(), DaemonIdentity.ofThisProcess()),
                new ControlServer.Settings(maxConnections, patience),
                runners,
                authority);
    }

    static TestDoor open() throws IOException {
        return new TestDoor(Files.createTempDirectory("kmorph-door"), 16);
    }

    static Caller admin(SocketChannel channel) {
        return new Caller("tester", Role.ADMIN, Door.SOCKET, "uid=0");
    }

    /** Shuts the door, and fails the test when something does not end. */
    @Override
    public void close() {
        server.drain(Duration.ZERO);
        try {
            if (!server.awaitEnd(Duration.ofSeconds(20))) {
                throw new AssertionError("the door does not end");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
