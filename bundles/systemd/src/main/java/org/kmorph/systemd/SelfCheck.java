// SPDX-License-Identifier: Apache-2.0
package org.kmorph.systemd;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Knocks at the daemon's own control socket as any client would, and waits for its greeting (docs/control-protocol.md, HELLO): a
 * connection alone proves nothing, the kernel makes it even when nobody in the daemon answers any more.
 */
final class SelfCheck {
    /** Type 0x81, then a length of 32 bits, then the magic of HELLO. */
    private static final int HELLO_TYPE = 0x81;

    private static final int HELLO_MAGIC = 0x4b4d4354;
    private static final int START_OF_HELLO = Byte.BYTES + Integer.BYTES + Integer.BYTES;

    private final Path socket;
    private final Duration atMost;

    SelfCheck(Path socket, Duration atMost) {
        this.socket = socket;
        this.atMost = atMost;
    }

    /** Why the daemon does not answer, for people; empty when it does. Takes no longer than the time given. */
    Optional<String> problem() {
        long end = System.nanoTime() + atMost.toNanos();
        try (Selector selector = Selector.open();
                SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.configureBlocking(false);
            boolean connected = channel.connect(UnixDomainSocketAddress.of(socket));
            SelectionKey key = channel.register(selector, connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT);
            ByteBuffer hello = ByteBuffer.allocate(START_OF_HELLO);
            while (hello.hasRemaining()) {
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    return Optional.of("no greeting within " + atMost.toMillis() + " ms on " + socket);
                }
                selector.select(left);
                selector.selectedKeys().clear();
                if (!channel.isConnected()) {
                    if (channel.finishConnect()) {
                        key.interestOps(SelectionKey.OP_READ);
                    }
                } else if (channel.read(hello) < 0) {
                    return Optional.of("closed without a greeting: " + socket);
                }
            }
            hello.flip();
            int type = Byte.toUnsignedInt(hello.get());
            hello.getInt();
            return type == HELLO_TYPE && hello.getInt() == HELLO_MAGIC
                    ? Optional.empty()
                    : Optional.of("no greeting of kmorphd on " + socket);
        } catch (IOException e) {
            return Optional.of(socket + ": " + e.getMessage());
        }
    }
}
