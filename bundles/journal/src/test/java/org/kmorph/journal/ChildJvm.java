// SPDX-License-Identifier: Apache-2.0
package org.kmorph.journal;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.kmorph.api.journal.Journal;
import org.sqlite.SQLiteConfig;
import org.sqlite.util.OSInfo;

/** Command lines of JVMs that run a class of these tests and start fast, for tests that need many of them. */
final class ChildJvm {
    private static final String LIBRARY = "libsqlitejdbc.so";

    private final Path scratch;
    private final String classPath;

    /** @param scratch an empty directory */
    ChildJvm(Path scratch) throws IOException, URISyntaxException {
        this.scratch = scratch;
        unpackLibrary();
        List<Path> classPathEntries = new ArrayList<>();
        for (Class<?> type : List.of(ChildJvm.class, Database.class, Journal.class, SQLiteConfig.class)) {
            classPathEntries.add(packed(Path.of(
                    type.getProtectionDomain().getCodeSource().getLocation().toURI())));
        }
        classPath = classPathEntries.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }

    List<String> command(Class<?> main, String... arguments) {
        return command(List.of("-Xshare:auto", "-XX:SharedArchiveFile=" + archive()), main, arguments);
    }

    /** The same for a run after which those that follow find its classes loaded. */
    List<String> training(Class<?> main, String... arguments) {
        return command(
                List.of("-XX:ArchiveClassesAtExit=" + archive(), "-Xlog:cds=off", "-Xlog:cds+dynamic=off"),
                main,
                arguments);
    }

    private List<String> command(List<String> options, Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of(
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx48m",
                "-Dorg.sqlite.lib.path=" + scratch,
                "-Dorg.sqlite.lib.name=" + LIBRARY,
                "-cp",
                classPath,
                main.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private Path archive() {
        return scratch.resolve("classes.jsa");
    }

    /** Class data sharing takes no directories of classes. */
    private Path packed(Path location) throws IOException {
        if (Files.isRegularFile(location)) {
            return location;
        }
        try (Stream<Path> jars = Files.list(scratch)) {
            Path jar = scratch.resolve(jars.count() + ".jar");
            ToolProvider tool = ToolProvider.findFirst("jar").orElseThrow();
            if (tool.run(System.out, System.err, "cf", jar.toString(), "-C", location.toString(), ".") != 0) {
                throw new IOException("cannot pack " + location);
            }
            return jar;
        }
    }

    /** Once, so that not each JVM unpacks it and, killed, leaves it behind. */
    private void unpackLibrary() throws IOException {
        String name = "/org/sqlite/native/" + OSInfo.getNativeLibFolderPathForCurrentOS() + "/" + LIBRARY;
        try (InputStream library = SQLiteConfig.class.getResourceAsStream(name)) {
            Files.copy(library, scratch.resolve(LIBRARY));
        }
    }
}
