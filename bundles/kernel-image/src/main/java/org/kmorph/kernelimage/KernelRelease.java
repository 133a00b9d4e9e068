// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Reads the kernel release out of an image: of a bzImage from its header (Documentation/arch/x86/boot.rst, field kernel_version), of
 * an uncompressed vmlinux from the banner in its data.
 */
public final class KernelRelease {
    /** boot.rst: the magic "HdrS" at 0x202; kernel_version at 0x20e, relative to 0x200. */
    private static final int HEADER_MAGIC_AT = 0x202;

    private static final int HEADER_MAGIC = 0x53726448;
    private static final int VERSION_POINTER_AT = 0x20e;
    private static final int VERSION_BASE = 0x200;

    private static final int ELF_MAGIC = 0x464c457f;
    private static final byte[] BANNER = "Linux version ".getBytes(StandardCharsets.US_ASCII);

    /** The longest release there is: a utsname field. */
    private static final int MAX_RELEASE = 64;

    private static final int BLOCK = 1 << 20;

    private KernelRelease() {}

    /**
     * Reads the release, {@code 6.1.0-18-cloud-amd64}.
     *
     * @throws ImageException when the file is no kernel image; the message names it and says what was expected
     * @throws IOException when the file cannot be read
     */
    public static String of(Path file) throws ImageException, IOException {
        if (!Files.isRegularFile(file)) {
            throw new ImageException("kernel " + file + " is not there; name a bzImage or vmlinux file");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer start = read(channel, 0, 0x210);
            Optional<String> release = Optional.empty();
            if (start.remaining() >= 0x210 && start.getInt(HEADER_MAGIC_AT) == HEADER_MAGIC) {
                release = fromHeader(channel, Short.toUnsignedInt(start.getShort(VERSION_POINTER_AT)));
            } else if (start.remaining() >= 4 && start.getInt(0) == ELF_MAGIC) {
                release = fromBanner(channel);
            }
            return release.orElseThrow(
                    () -> new ImageException(
                            "kernel " + file
                                    + " is neither a bzImage (no boot header with a version) nor a vmlinux (no ELF with a Linux banner)"));
        }
    }

    private static Optional<String> fromHeader(FileChannel channel, int pointer) throws IOException {
        return pointer == 0 ? Optional.empty() : word(read(channel, VERSION_BASE + (long) pointer, MAX_RELEASE));
    }

    /** Blocks overlap by what a banner may be long, so that none is cut by a boundary. */
    private static Optional<String> fromBanner(FileChannel channel) throws IOException {
        int overlap = BANNER.length + MAX_RELEASE;
        for (long at = 0; at < channel.size(); at += BLOCK - overlap) {
            byte[] block = new byte[BLOCK];
            ByteBuffer read = read(channel, at, BLOCK);
            int length = read.remaining();
            read.get(block, 0, length);
            for (int i = 0; i + overlap <= length; i++) {
                if (matches(block, i)) {
                    Optional<String> release = word(ByteBuffer.wrap(block, i + BANNER.length, MAX_RELEASE));
                    if (release.filter(text -> Character.isDigit(text.charAt(0)))
                            .isPresent()) {
                        return release;
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean matches(byte[] block, int at) {
        for (int i = 0; i < BANNER.length; i++) {
            if (block[at + i] != BANNER[i]) {
                return false;
            }
        }
        return true;
    }

    /** The printable characters up to the first space or NUL. */
    private static Optional<String> word(ByteBuffer bytes) {
        StringBuilder text = new StringBuilder();
        while (bytes.hasRemaining()) {
            byte character = bytes.get();
            if (character == 0 || character == ' ') {
                return text.isEmpty() ? Optional.empty() : Optional.of(text.toString());
            }
            if (character < '!' || character > '~') {
                return Optional.empty();
            }
            text.append((char) character);
        }
        return Optional.empty();
    }

    private static ByteBuffer read(FileChannel channel, long at, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, at + buffer.position());
            if (count < 0) {
                break;
            }
            if (count == 0) {
                throw new EOFException("reading stopped at " + (at + buffer.position()));
            }
        }
        return buffer.flip();
    }
}
