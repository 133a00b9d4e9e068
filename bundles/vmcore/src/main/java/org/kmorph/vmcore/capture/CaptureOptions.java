// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.capture;

/**
 * What a capture is to be like.
 *
 * @param level the sum of what is left out, 0 to 31
 * @param threads that read and pack at once
 * @param digested whether a file gets its SHA-256 beside it; a stream has none
 */
public record CaptureOptions(Format format, Compression compression, int level, int threads, boolean digested) {
    /** The format of the file. */
    public enum Format {
        KDUMP,
        ELF
    }

    public CaptureOptions {
        if (level < 0 || level > 31) {
            throw new IllegalArgumentException("level " + level + " is not from 0 to 31");
        }
        if (threads < 1 || threads > 64) {
            throw new IllegalArgumentException(threads + " threads are not from 1 to 64");
        }
    }

    /** kdump, zstd, level 31, with a digest: what crash and drgn read and what is smallest. */
    public static CaptureOptions usual() {
        return new CaptureOptions(
                Format.KDUMP,
                Compression.ZSTD,
                31,
                Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors())),
                true);
    }
}
