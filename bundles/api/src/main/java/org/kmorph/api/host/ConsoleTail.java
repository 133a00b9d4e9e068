// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.host;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The end of what a kernel has written to its console, as the shim keeps it in the instance's directory (docs/shim.md). Thread-safe. */
public final class ConsoleTail {
    private static final String LOG = "console.log";
    /** What was written before the present log was begun. */
    private static final String BEFORE = "console.log.1";

    /** Read of each at most. */
    private static final int TAIL_BYTES = 16 << 10;

    private ConsoleTail() {}

    /**
     * The last lines, oldest first, without empty ones and without the control characters of a terminal.
     *
     * @param directory the instance's own
     * @return at most {@code lines}; none when nothing can be read
     */
    public static List<String> last(Path directory, int lines) {
        List<String> all = Stream.concat(lines(directory.resolve(BEFORE)), lines(directory.resolve(LOG)))
                .map(line -> line.replaceAll("\\p{Cntrl}", ""))
                .filter(line -> !line.isBlank())
                .toList();
        return all.subList(Math.max(0, all.size() - lines), all.size());
    }

    private static Stream<String> lines(Path file) {
        try (SeekableByteChannel log = Files.newByteChannel(file)) {
            log.position(Math.max(0, log.size() - TAIL_BYTES));
            ByteBuffer tail = ByteBuffer.allocate(TAIL_BYTES);
            while (tail.hasRemaining() && log.read(tail) >= 0) {
                // until it is full or the file is over
            }
            return new String(tail.array(), 0, tail.position(), StandardCharsets.UTF_8).lines();
        } catch (IOException e) {
            return Stream.empty();
        }
    }
}
