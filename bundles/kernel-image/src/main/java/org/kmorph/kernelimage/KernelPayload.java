// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The kernel inside a bzImage: the vmlinux that its boot header's payload fields lead to (Documentation/arch/x86/boot.rst, payload_offset
 * and payload_length, since protocol 2.08). An image may be hostile: what it says is checked before it is used, and no more is written
 * than {@link #MOST_BYTES}.
 */
public final class KernelPayload {
    /** A kernel of more is none. Debian's have 60 MB. */
    static final int MOST_BYTES = 512 << 20;

    /** boot.rst. */
    private static final int SETUP_SECTORS_AT = 0x1f1;

    private static final int MAGIC_AT = 0x202;
    private static final int MAGIC = 0x53726448;
    private static final int PROTOCOL_AT = 0x206;
    private static final int PROTOCOL_WITH_PAYLOAD = 0x208;
    private static final int PAYLOAD_AT = 0x248;
    private static final int HEADER_BYTES = 0x250;
    private static final int SECTOR = 512;
    private static final int SETUP_SECTORS_BY_DEFAULT = 4;

    private static final int ELF_MAGIC = 0x464c457f;

    private KernelPayload() {}

    /**
     * The vmlinux of an image: itself, if it is one; otherwise unpacked into the cache, or found there by the image's digest.
     *
     * @param cache an existing directory, where files may be made that are left alone
     * @throws ImageException when there is no kernel in the image; the message names it and says what is wrong
     * @throws IOException when the image cannot be read, or the cache not written
     */
    public static Path vmlinux(Path image, Path cache) throws ImageException, IOException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.READ)) {
            ByteBuffer mapped = channel.map(MapMode.READ_ONLY, 0, Math.min(channel.size(), MOST_BYTES));
            mapped.order(ByteOrder.LITTLE_ENDIAN);
            if (mapped.remaining() >= Integer.BYTES && mapped.getInt(0) == ELF_MAGIC) {
                return image;
            }
            Path unpacked = cache.resolve("vmlinux-" + digest(image));
            if (!Files.exists(unpacked)) {
                unpack(image, payload(image, mapped), unpacked);
            }
            return unpacked;
        }
    }

    private static String digest(Path image) throws IOException {
        try (DigestInputStream in =
                new DigestInputStream(Files.newInputStream(image), MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static ByteBuffer payload(Path image, ByteBuffer mapped) throws ImageException {
        if (mapped.remaining() < HEADER_BYTES
                || mapped.getInt(MAGIC_AT) != MAGIC
                || Short.toUnsignedInt(mapped.getShort(PROTOCOL_AT)) < PROTOCOL_WITH_PAYLOAD) {
            throw new ImageException("kernel " + image + " is no bzImage of boot protocol 2.08 or later");
        }
        int sectors = Byte.toUnsignedInt(mapped.get(SETUP_SECTORS_AT));
        long offset = (1L + (sectors == 0 ? SETUP_SECTORS_BY_DEFAULT : sectors)) * SECTOR
                + Integer.toUnsignedLong(mapped.getInt(PAYLOAD_AT));
        long length = Integer.toUnsignedLong(mapped.getInt(PAYLOAD_AT + Integer.BYTES));
        if (length < 2L * Integer.BYTES || offset + length > mapped.limit()) {
            throw new ImageException("kernel " + image + " is cut off: its boot header puts the kernel at byte "
                    + offset + ", " + length + " bytes of it, and the file has " + mapped.limit());
        }
        return mapped.slice((int) offset, (int) length).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void unpack(Path image, ByteBuffer payload, Path to) throws ImageException, IOException {
        Optional<Compression> compression = Compression.of(payload);
        if (compression.isEmpty()) {
            throw new ImageException("kernel " + image
                    + " is packed in a way that is not known here; gzip, bzip2, xz, lz4, lzo or zstd was expected");
        }
        // The kernel's build appends the length of what was packed (scripts/Makefile.lib, size_append; gzip has it of
        // its own).
        long length = Integer.toUnsignedLong(payload.getInt(payload.limit() - Integer.BYTES));
        if (length < SECTOR || length > MOST_BYTES) {
            throw new ImageException("kernel " + image + " says that it has " + length + " bytes unpacked, at most "
                    + MOST_BYTES + " are accepted");
        }
        if (compression.get() != Compression.GZIP) {
            payload.limit(payload.limit() - Integer.BYTES);
        }
        Path part = Files.createTempFile(to.getParent(), ".vmlinux-", ".part");
        try {
            write(image, compression.get(), payload, part, length);
            Files.move(part, to, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static void write(Path image, Compression compression, ByteBuffer payload, Path part, long length)
            throws ImageException, IOException {
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            if (Files.getFileStore(part).getUsableSpace() < length) {
                throw new IOException(
                        "no space for the " + length + " bytes of kernel " + image + " in " + part.getParent());
            }
            ByteBuffer out = channel.map(MapMode.READ_WRITE, 0, length);
            try {
                compression.unpack(payload, out);
            } catch (IOException | RuntimeException e) {
                throw new ImageException("kernel " + image + " cannot be unpacked: its " + compression
                        + " data is broken at about byte " + out.position() + " of " + length + ": " + e.getMessage());
            }
            if (out.hasRemaining() || out.order(ByteOrder.LITTLE_ENDIAN).getInt(0) != ELF_MAGIC) {
                throw new ImageException("kernel " + image + " cannot be unpacked: "
                        + (out.hasRemaining()
                                ? "its " + compression + " data ends after " + out.position() + " of " + length
                                        + " bytes"
                                : "what it holds is no ELF"));
            }
        }
    }
}
