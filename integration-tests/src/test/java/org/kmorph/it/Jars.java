// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Bundles made for tests out of those of the distribution. */
public final class Jars {
    private Jars() {}

    /** The distribution's jar of one of our bundles. */
    public static Path ours(Kmorph kmorph, String artifact) {
        try (Stream<Path> found = Files.walk(kmorph.home().resolve("bundles"))) {
            return found.filter(path -> path.getFileName().toString().matches(artifact + "-[0-9].*\\.jar"))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Names of the classes in a jar. */
    public static Set<String> classes(Path jar) {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream()
                    .map(JarEntry::getName)
                    .filter(name -> name.endsWith(".class"))
                    .map(name ->
                            name.substring(0, name.length() - ".class".length()).replace('/', '.'))
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same bundle with another version, as a later release would have. */
    public static Path withVersion(Path jar, String version, Path to) {
        try (JarFile source = new JarFile(jar.toFile())) {
            Manifest manifest = source.getManifest();
            manifest.getMainAttributes().put(new Attributes.Name("Bundle-Version"), version);
            try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(to), manifest)) {
                for (var entry : Collections.list(source.entries())) {
                    if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
                        out.putNextEntry(new java.util.zip.ZipEntry(entry.getName()));
                        source.getInputStream(entry).transferTo(out);
                        out.closeEntry();
                    }
                }
            }
            return to;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
