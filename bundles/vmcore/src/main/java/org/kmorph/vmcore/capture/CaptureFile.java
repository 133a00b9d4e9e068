// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.kmorph.api.vmcore.Vmcores;

/**
 * A capture's file: written as {@code PATH.incomplete}, mode 0600, and renamed when it is whole and its digest, if it is to have one, lies
 * beside it. What failed or was cancelled keeps that name.
 */
public final class CaptureFile {
    private CaptureFile() {}

    /**
     * What came of a capture.
     *
     * @param bytes of the file
     * @param sha256 hexadecimal; empty where none was wanted
     * @param notes what was not as it should be
     */
    public record Result(long bytes, String sha256, List<String> notes) {}

    /** The name of a file that is not whole yet. */
    public static Path incomplete(Path path) {
        return path.resolveSibling(path.getFileName() + ".incomplete");
    }

    /** The name of the file with a capture's digest. */
    public static Path digest(Path path) {
        return path.resolveSibling(path.getFileName() + ".sha256");
    }

    /**
     * Captures to a file.
     *
     * @throws IOException when it failed; the message names the partial file, if there is one
     * @throws InterruptedException when cancelled; the partial file stays
     */
    public static Result write(Path path, Capturer capturer, Vmcores.Progress progress)
            throws IOException, InterruptedException {
        Path partial = incomplete(path);
        try {
            Capturer.Outcome outcome = capturer.run(() -> capturer.program(partial), progress);
            if (outcome.sha256().isEmpty()) {
                // of an earlier file of this name
                Files.deleteIfExists(digest(path));
            } else {
                Files.writeString(digest(path), outcome.sha256() + "  " + path.getFileName() + "\n");
            }
            Files.move(partial, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return new Result(outcome.bytes(), outcome.sha256(), outcome.notes());
        } catch (IOException e) {
            String left =
                    Files.exists(partial) ? "; what was written is in " + partial + ", of no use but to look at" : "";
            throw new IOException(e.getMessage() + left, e);
        }
    }

    /** Captures to a stream, in the flattened format that {@code makedumpfile -R} makes a file of. */
    public static List<String> stream(OutputStream out, Capturer capturer, Vmcores.Progress progress)
            throws IOException, InterruptedException {
        return capturer.run(() -> capturer.program(out), progress).notes();
    }

    /** The same to a FIFO; waits for its reader. */
    public static List<String> fifo(Path fifo, Capturer capturer, Vmcores.Progress progress)
            throws IOException, InterruptedException {
        return capturer.run(() -> capturer.programToFifo(fifo), progress).notes();
    }
}
