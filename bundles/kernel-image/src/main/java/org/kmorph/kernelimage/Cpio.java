// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * Writes a cpio archive of the format "newc", as the kernel unpacks it into its first file system (Documentation/driver-api/
 * early-userspace/buffer-format.rst). Directories above an entry are made on the way.
 */
final class Cpio {
    private static final int DIRECTORY = 0040000;
    private static final int FILE = 0100000;
    private static final int CHARACTER_DEVICE = 0020000;
    private static final int ALIGNMENT = 4;

    private final OutputStream out;
    private final Set<String> directories = new HashSet<>();
    private int inode;
    private long written;

    /** @param out at a position that is a multiple of four */
    Cpio(OutputStream out) {
        this.out = out;
    }

    void directory(String path) throws IOException {
        if (directories.add(path)) {
            parents(path);
            entry(path, DIRECTORY | 0755, new byte[0], 0, 0);
        }
    }

    void file(String path, int permissions, byte[] content) throws IOException {
        parents(path);
        entry(path, FILE | permissions, content, 0, 0);
    }

    void device(String path, int permissions, int major, int minor) throws IOException {
        parents(path);
        entry(path, CHARACTER_DEVICE | permissions, new byte[0], major, minor);
    }

    void end() throws IOException {
        entry("TRAILER!!!", 0, new byte[0], 0, 0);
        out.flush();
    }

    private void parents(String path) throws IOException {
        int slash = path.lastIndexOf('/');
        if (slash > 0) {
            directory(path.substring(0, slash));
        }
    }

    private void entry(String path, int mode, byte[] content, int major, int minor) throws IOException {
        byte[] name = (path + "\0").getBytes(StandardCharsets.UTF_8);
        inode++;
        int[] fields = {inode, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0};
        StringBuilder header = new StringBuilder("070701");
        for (int field : fields) {
            header.append(String.format("%08x", field));
        }
        write(header.toString().getBytes(StandardCharsets.US_ASCII));
        write(name);
        pad();
        write(content);
        pad();
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }

    private void pad() throws IOException {
        write(new byte[(int) (-written & ALIGNMENT - 1)]);
    }
}
