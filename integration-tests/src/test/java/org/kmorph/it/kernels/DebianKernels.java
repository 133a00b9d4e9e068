// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it.kernels;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Where {@code ./kmorph kernels} has put its kernels. */
final class DebianKernels {
    private DebianKernels() {}

    /** A file of a series' newest kernel, {@code vmlinuz} or {@code vmlinux}. */
    static Path file(String series, String name) {
        return of(series).resolve(name);
    }

    /** Where a series' newest kernel is. */
    static Path of(String series) {
        return directory().resolve(series);
    }

    static String release(String series) throws IOException {
        return of(series).toRealPath().getFileName().toString();
    }

    private static Path directory() {
        return Optional.ofNullable(System.getenv("KMORPH_KERNELS"))
                .map(Path::of)
                .orElseGet(() -> Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
                        .map(Path::of)
                        .orElse(Path.of(System.getProperty("user.home"), ".cache"))
                        .resolve("kmorph/kernels"));
    }
}
