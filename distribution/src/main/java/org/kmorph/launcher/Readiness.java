// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Tells whoever started the daemon that it answers: the control socket greets with this process's id. */
final class Readiness {
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(2);

    /** docs/control-protocol.md: a frame header of 5 bytes, then the greeting's 20, the process id at 8. */
    private static final int HELLO_BYTES = 5 + 20;

    private static final int HELLO_PID_AT = 5 + 8;

    private final Path socket;
    private final Duration patience;

    Readiness(Settings settings) {
        socket = settings.run().resolve("control.sock");
        patience = settings.startTimeout();
    }

    /** Waits until the socket accepts, at most as long as the settings allow. */
    void await() throws StartException, InterruptedException {
        long giveUp = System.nanoTime() + patience.toNanos();
        while (!answers(giveUp)) {
            if (System.nanoTime() > giveUp) {
                throw new StartException(
                        "the control socket " + socket + " did not open within " + patience.toSeconds() + " s");
            }
            TimeUnit.NANOSECONDS.sleep(BETWEEN_TRIES.toNanos());
        }
    }

    /** Whether this process greets at the socket, and not another one that sits there. */
    private boolean answers(long giveUp) throws InterruptedException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.configureBlocking(false);
            ByteBuffer hello = ByteBuffer.allocate(HELLO_BYTES);
            while (hello.hasRemaining() && System.nanoTime() < giveUp) {
                if (channel.read(hello) < 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.sleep(BETWEEN_TRIES.toNanos());
            }
            return !hello.hasRemaining()
                    && hello.getInt(HELLO_PID_AT) == ProcessHandle.current().pid();
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Writes the word to where {@code bin/kmorphd} waits for it; nobody waits when the service manager started the daemon. The pipe is
     * opened for both ways: one whose reader was killed would otherwise never open, and the daemon could not even be stopped.
     * From then on nobody reads standard error, and what is written there would grow without end: the log has it all.
     */
    static void announce() throws IOException {
        String path = System.getenv("KMORPH_READY");
        if (path != null) {
            try (FileChannel pipe =
                    FileChannel.open(Path.of(path), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                pipe.write(StandardCharsets.UTF_8.encode("ready\n"));
            }
            System.setErr(new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
        }
    }
}
