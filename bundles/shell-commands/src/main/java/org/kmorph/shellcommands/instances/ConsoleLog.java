// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.instances;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * The console log of one instance, read as it grows: {@code console.log}, and {@code console.log.1} with what was before that
 * (docs/shim.md). When the shim begins a new file, the old one is read to its end first. What an instance writes cannot steer the
 * reader's terminal: of the control characters, only line ends and tabs are left. For one thread.
 */
final class ConsoleLog implements AutoCloseable {
    private static final int CHUNK = 64 << 10;

    private final Path current;
    private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
    private FileChannel open;
    private Object openKey;

    /** @param directory the instance's own */
    ConsoleLog(Path directory) throws IOException {
        current = directory.resolve("console.log");
        Path before = directory.resolve("console.log.1");
        Path first = Files.exists(before) ? before : current;
        openKey = key(first);
        open = FileChannel.open(first, StandardOpenOption.READ);
    }

    /** What comes next, at most 64 KiB; empty when there is no more now. */
    String next() throws IOException {
        String text = read();
        while (text.isEmpty() && Files.exists(current) && !openKey.equals(key(current))) {
            // nothing is added any more to a file that was put aside, but something may have been since it was read
            text = read();
            if (text.isEmpty()) {
                open.close();
                openKey = key(current);
                open = FileChannel.open(current, StandardOpenOption.READ);
                text = read();
            }
        }
        return text;
    }

    /** What tells a file from another, whatever it is called: its device and inode. */
    private static Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    private String read() throws IOException {
        chunk.clear();
        if (open.read(chunk) <= 0) {
            return "";
        }
        String text = new String(chunk.array(), 0, chunk.position(), StandardCharsets.UTF_8);
        return text.replaceAll("[\\p{Cntrl}&&[^\n\t]]", "");
    }

    @Override
    public void close() throws IOException {
        open.close();
    }
}
