// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kernelimage;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.XZInputStream;

/** The loadable modules of one kernel, as found in directories: read, unpacked, and put in an order in which they can be loaded. */
public final class KernelModules {
    /** No module that an instance needs is as large. */
    private static final int MOST_BYTES = 32 << 20;

    private static final int MOST_MEMORY_KIB = 80 << 10;

    private final Map<String, Path> files = new HashMap<>();
    private final Map<String, Boolean> builtIn = new HashMap<>();

    /**
     * @param directories searched with all that lies below them; the first that has a module counts. A file {@code modules.builtin} names
     *     those that are part of the kernel
     */
    public KernelModules(List<Path> directories) throws IOException {
        for (Path directory : directories) {
            if (!Files.isDirectory(directory)) {
                continue;
            }
            try (Stream<Path> found = Files.walk(directory)) {
                found.forEach(
                        file -> nameOf(file.getFileName().toString()).ifPresent(name -> files.putIfAbsent(name, file)));
            }
            Path list = directory.resolve("modules.builtin");
            if (Files.isRegularFile(list)) {
                for (String line : Files.readAllLines(list)) {
                    nameOf(line.substring(line.lastIndexOf('/') + 1)).ifPresent(name -> builtIn.put(name, true));
                }
            }
        }
    }

    private static Optional<String> nameOf(String file) {
        int dot = file.indexOf(".ko");
        return dot < 1 ? Optional.empty() : Optional.of(file.substring(0, dot).replace('-', '_'));
    }

    /**
     * Modules and all that they depend on, by name, each after those that it depends on; without those that are part of the kernel.
     *
     * @param missing what to say of a module that there is not
     * @throws ImageException when one is missing, broken, or needs itself
     */
    public Map<String, byte[]> load(List<String> names, Function<String, String> missing)
            throws ImageException, IOException {
        Map<String, byte[]> ordered = new LinkedHashMap<>();
        for (String name : names) {
            add(name.replace('-', '_'), missing, ordered, 0);
        }
        return ordered;
    }

    private void add(String name, Function<String, String> missing, Map<String, byte[]> ordered, int depth)
            throws ImageException, IOException {
        if (ordered.containsKey(name) || builtIn.containsKey(name)) {
            return;
        }
        Path file = Optional.ofNullable(files.get(name)).orElseThrow(() -> new ImageException(missing.apply(name)));
        if (depth > files.size()) {
            throw new ImageException("module " + file + " depends on itself");
        }
        byte[] module = read(file);
        for (String needed : ModuleInfo.dependencies(file, module)) {
            add(needed.replace('-', '_'), missing, ordered, depth + 1);
        }
        ordered.put(name, module);
    }

    private static byte[] read(Path file) throws ImageException, IOException {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = name.endsWith(".xz")
                        ? new XZInputStream(raw, MOST_MEMORY_KIB)
                        : name.endsWith(".gz") ? new GZIPInputStream(raw) : raw) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new ImageException("module " + file + " has more than " + MOST_BYTES + " bytes");
            }
            return bytes;
        }
    }
}
