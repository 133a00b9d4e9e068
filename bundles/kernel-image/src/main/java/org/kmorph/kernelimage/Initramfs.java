// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an instance boots with: the agent as {@code /init}, the modules that it loads, and before these whatever a person gave. The kernel
 * unpacks one archive after the other, so what comes later replaces what was there.
 */
public final class Initramfs {
    /** Where the agent finds its modules: a line for each, a path, in the order of loading. */
    public static final String MODULE_LIST = "etc/kmorph/modules";

    private static final int ALIGNMENT = 512;

    /** "newc" and "crc", of buffer-format.rst. */
    private static final List<String> MAGICS = List.of("070701", "070702");

    /** What the oldest packing begins with: lib/decompress.c of Linux. */
    private static final byte[] LZMA = {0x5d, 0};

    private Initramfs() {}

    private static boolean isArchive(Path file) throws IOException {
        byte[] start;
        try (InputStream in = Files.newInputStream(file)) {
            start = in.readNBytes(MAGICS.get(0).length());
        }
        return MAGICS.contains(new String(start, StandardCharsets.US_ASCII))
                || Compression.of(ByteBuffer.wrap(start)).isPresent()
                || Arrays.equals(Arrays.copyOf(start, LZMA.length), LZMA);
    }

    /**
     * Writes it.
     *
     * @param to is replaced
     * @param agent the program
     * @param modules their contents by their names, in the order of loading
     * @param given an archive, packed or not, that ours is appended to
     * @throws ImageException when what was given is no archive: a kernel would unpack neither that nor ours
     */
    public static void write(Path to, Path agent, Map<String, byte[]> modules, Optional<Path> given)
            throws ImageException, IOException {
        if (given.isPresent() && !isArchive(given.get())) {
            throw new ImageException(
                    given.get() + " is no initramfs: an archive of cpio's format newc was expected, as cpio -o -H newc"
                            + " makes it, or one packed by gzip, bzip2, lzma, xz, lz4, zstd or lzop");
        }
        try (OutputStream file = Files.newOutputStream(to);
                OutputStream out = new BufferedOutputStream(file, 1 << 16)) {
            if (given.isPresent()) {
                long length = Files.copy(given.get(), out);
                out.write(new byte[(int) (-length & ALIGNMENT - 1)]);
            }
            Cpio cpio = new Cpio(out);
            for (String directory : new String[] {"dev", "proc", "sys", "tmp"}) {
                cpio.directory(directory);
            }
            // its standard streams, before it mounts anything
            cpio.device("dev/console", 0600, 5, 1);
            cpio.device("dev/null", 0666, 1, 3);
            cpio.file("init", 0755, Files.readAllBytes(agent));
            StringBuilder list = new StringBuilder();
            for (Map.Entry<String, byte[]> module : modules.entrySet()) {
                String path = "lib/kmorph/" + module.getKey() + ".ko";
                cpio.file(path, 0644, module.getValue());
                list.append('/').append(path).append('\n');
            }
            cpio.file(MODULE_LIST, 0644, list.toString().getBytes(StandardCharsets.US_ASCII));
            cpio.end();
        }
    }
}
