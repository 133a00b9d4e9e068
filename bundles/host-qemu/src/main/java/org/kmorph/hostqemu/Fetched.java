// SPDX-License-Identifier: Apache-2.0
package org.kmorph.hostqemu;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Where {@code ./kmorph kernels} puts its kernels (kernel/kernels). */
final class Fetched {
    private Fetched() {}

    /** @param configured the directory; empty for the default one of whoever runs the daemon */
    static Path directory(String configured) {
        Map<String, String> environment = System.getenv();
        return Stream.of(
                        Optional.of(configured).map(Path::of),
                        Optional.ofNullable(environment.get("KMORPH_KERNELS")).map(Path::of),
                        Optional.ofNullable(environment.get("XDG_CACHE_HOME"))
                                .map(base -> Path.of(base, "kmorph", "kernels")))
                .flatMap(Optional::stream)
                .filter(path -> !path.toString().isEmpty())
                .findFirst()
                .orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache", "kmorph", "kernels"));
    }
}
