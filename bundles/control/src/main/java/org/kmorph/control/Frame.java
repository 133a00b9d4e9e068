// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.kmorph.api.command.ExitCode;

/**
 * One frame: type (u8), length of the payload (u32, big-endian), payload. Source: docs/control-protocol.md, "Frames".
 *
 * @param type what it says
 * @param payload at most {@link #MAX_PAYLOAD} bytes; not copied
 */
record Frame(FrameType type, byte[] payload) {
    static final int HEADER = 5;
    static final int MAX_PAYLOAD = 65_536;

    /** The versions of the protocol that this daemon speaks. */
    static final int LOWEST_VERSION = 1;

    static final int HIGHEST_VERSION = 1;

    /** {@code KMCT}: what a kmorph daemon says first. */
    static final int MAGIC = 0x4b4d4354;

    private static final int HELLO_SIZE = 20;
    private static final int MAX_SENTENCE = 4096;

    /** The greeting, which names the daemon by its process and the time that it started. */
    static Frame hello(DaemonIdentity daemon) {
        ByteBuffer b = ByteBuffer.allocate(HELLO_SIZE);
        b.putInt(MAGIC).putShort((short) LOWEST_VERSION).putShort((short) HIGHEST_VERSION);
        b.putInt((int) daemon.pid()).putLong(daemon.startedMillis());
        return new Frame(FrameType.HELLO, b.array());
    }

    /** Reads a whole greeting with its header; empty when it is none. */
    static Optional<DaemonIdentity> identity(ByteBuffer b) {
        boolean hello = b.remaining() == HEADER + HELLO_SIZE
                && b.get() == FrameType.HELLO.code()
                && b.getInt() == HELLO_SIZE
                && b.getInt() == MAGIC;
        if (!hello) {
            return Optional.empty();
        }
        b.getInt(); // the versions: whatever they are, it is a daemon
        return Optional.of(new DaemonIdentity(Integer.toUnsignedLong(b.getInt()), b.getLong()));
    }

    static Frame mode(boolean raw) {
        return new Frame(FrameType.MODE, new byte[] {(byte) (raw ? 1 : 0)});
    }

    static Frame credit(int bytes) {
        return new Frame(
                FrameType.CREDIT,
                ByteBuffer.allocate(Integer.BYTES).putInt(bytes).array());
    }

    static Frame exit(ExitCode code) {
        return new Frame(FrameType.EXIT, new byte[] {(byte) code.status()});
    }

    static Frame error(ExitCode code, String sentence) {
        byte[] text = sentence.getBytes(StandardCharsets.UTF_8);
        ByteBuffer b = ByteBuffer.allocate(1 + Math.min(text.length, MAX_SENTENCE));
        b.put((byte) code.status()).put(text, 0, b.remaining());
        return new Frame(FrameType.ERROR, b.array());
    }

    /** Nothing was run: a successor answers at the same path. */
    static Frame again() {
        return new Frame(FrameType.AGAIN, new byte[0]);
    }

    /** The bytes of the frame, from the first. */
    ByteBuffer encode() {
        ByteBuffer b = ByteBuffer.allocate(HEADER + payload.length);
        return b.put(type.code()).putInt(payload.length).put(payload).flip();
    }
}
