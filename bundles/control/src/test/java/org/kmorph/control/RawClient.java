// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** A client that says exactly the bytes it is told to. */
final class RawClient implements AutoCloseable {
    static final int HELLO = 0x81;
    static final int STDOUT = 0x82;
    static final int CREDIT = 0x85;
    static final int EXIT = 0x86;
    static final int ERROR = 0x87;
    static final int AGAIN = 0x88;

    private final SocketChannel channel;
    private final DataInputStream in;

    RawClient(Path socket) throws IOException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        in = new DataInputStream(Channels.newInputStream(channel));
    }

    /** @param type its number, not its name: tests check the bytes of the protocol page */
    record Received(int type, byte[] payload) {
        String sentence() {
            return new String(payload, 1, payload.length - 1, StandardCharsets.UTF_8);
        }
    }

    static RawClient greeted(Path socket) throws IOException {
        RawClient client = new RawClient(socket);
        if (client.receive().type() != HELLO) {
            throw new AssertionError("no greeting");
        }
        return client;
    }

    static RawClient started(Path socket, String... words) throws IOException {
        RawClient client = greeted(socket);
        client.send(frame(1, start(words)));
        return client;
    }

    static byte[] start(String... words) {
        ByteArrayOutputStream b = new ByteArrayOutputStream();
        b.writeBytes(new byte[] {0, 1});
        b.writeBytes(field(2, "/tmp".getBytes(StandardCharsets.UTF_8)));
        for (String word : words) {
            b.writeBytes(field(1, word.getBytes(StandardCharsets.UTF_8)));
        }
        return b.toByteArray();
    }

    static byte[] field(int tag, byte[] value) {
        return ByteBuffer.allocate(3 + value.length)
                .put((byte) tag)
                .putShort((short) value.length)
                .put(value)
                .array();
    }

    static byte[] frame(int type, byte... payload) {
        return ByteBuffer.allocate(5 + payload.length)
                .put((byte) type)
                .putInt(payload.length)
                .put(payload)
                .array();
    }

    void send(byte[] bytes) throws IOException {
        ByteBuffer b = ByteBuffer.wrap(bytes);
        while (b.hasRemaining()) {
            channel.write(b);
        }
    }

    Received receive() throws IOException {
        int type = in.readUnsignedByte();
        byte[] payload = new byte[in.readInt()];
        in.readFully(payload);
        return new Received(type, payload);
    }

    /** The last frame before the daemon closes; empty when it closes without one. */
    Optional<Received> last() throws IOException {
        Optional<Received> last = Optional.empty();
        try {
            while (true) {
                last = Optional.of(receive());
            }
        } catch (EOFException e) {
            return last;
        } catch (IOException e) {
            // a connection closed over bytes that nobody read is reset: unix(7)
            return last;
        }
    }

    void shutdownOutput() throws IOException {
        channel.shutdownOutput();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
