// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.service;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.kmorph.api.instance.Instance;
import org.kmorph.api.vmcore.Capture;
import org.kmorph.vmcore.capture.CaptureFile;

/** The directory of automatic captures: {@code NAME-TIME.kdump}, its digest, and what is known of it in {@code .properties}. */
final class Keepings {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final String SUFFIX = ".kdump";
    private static final String FACTS = ".properties";

    private final Path directory;

    Keepings(Path directory) {
        this.directory = directory;
    }

    /** Where a capture of this moment belongs. */
    Path place(String instance, Instant at) throws IOException {
        Files.createDirectories(directory);
        return directory.resolve(instance + "-" + STAMP.format(at) + SUFFIX);
    }

    /** Removes what is left of captures of an instance that failed. */
    void removePartial(String instance) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        Pattern left = Pattern.compile(
                Pattern.quote(instance) + "-[0-9]{8}T[0-9.]+Z" + Pattern.quote(SUFFIX) + ".*\\.incomplete");
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(
                            f -> left.matcher(f.getFileName().toString()).matches())
                    .toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** The capture of this very instance, of all of its name, if there is one. */
    Optional<Capture> of(Instance instance) throws IOException {
        for (Capture capture : list()) {
            if (capture.instance().equals(instance.name())
                    && Integer.toString(instance.id())
                            .equals(facts(capture.path()).getProperty("id"))) {
                return Optional.of(capture);
            }
        }
        return Optional.empty();
    }

    /** Writes down what is known of a capture. @param id of the instance */
    void remember(Capture capture, int id) throws IOException {
        Properties facts = new Properties();
        facts.setProperty("instance", capture.instance());
        facts.setProperty("id", Integer.toString(id));
        facts.setProperty("at", capture.at().toString());
        facts.setProperty("verdict", capture.verdict());
        facts.setProperty("signature", capture.signature());
        Path partial = beside(capture.path(), FACTS + ".incomplete");
        try (Writer writer = Files.newBufferedWriter(partial)) {
            facts.store(writer, null);
        }
        Files.move(
                partial,
                beside(capture.path(), FACTS),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** All captures that are whole, newest first. */
    List<Capture> list() throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        List<Capture> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(f -> f.getFileName().toString().endsWith(SUFFIX))
                    .toList()) {
                found.add(read(file));
            }
        }
        found.sort(Comparator.comparing(Capture::at).reversed());
        return found;
    }

    /** What is known of a capture; nothing where that is damaged: the memory is what matters. */
    private static Properties facts(Path file) throws IOException {
        Properties facts = new Properties();
        Path path = beside(file, FACTS);
        if (Files.exists(path)) {
            try (Reader reader = Files.newBufferedReader(path)) {
                facts.load(reader);
                Instant.parse(facts.getProperty("at", ""));
            } catch (IllegalArgumentException | CharacterCodingException | DateTimeParseException e) {
                facts.clear();
                facts.setProperty("verdict", "What was found in it is lost: " + path + " is damaged.");
            }
        }
        return facts;
    }

    private static Capture read(Path file) throws IOException {
        Properties facts = facts(file);
        String name = file.getFileName().toString();
        Instant at = facts.containsKey("at")
                ? Instant.parse(facts.getProperty("at"))
                : Files.getLastModifiedTime(file).toInstant();
        return new Capture(
                facts.getProperty("instance", name.substring(0, Math.max(0, name.lastIndexOf('-')))),
                file,
                at,
                Files.size(file),
                facts.getProperty("verdict", "It was not analysed."),
                facts.getProperty("signature", ""));
    }

    /** Removes captures that are too many, too large together, or too old; never the newest of an instance. */
    List<Path> prune(int most, long mostBytes, Duration oldest, Instant now) throws IOException {
        Set<String> newest = new HashSet<>();
        List<Path> removed = new ArrayList<>();
        List<Capture> others = new ArrayList<>();
        long bytes = 0;
        int count = 0;
        for (Capture capture : list()) {
            if (newest.add(capture.instance())) {
                bytes += capture.bytes();
                count++;
            } else {
                others.add(capture);
            }
        }
        for (Capture capture : others) {
            bytes += capture.bytes();
            count++;
            boolean tooOld = capture.at().isBefore(now.minus(oldest));
            if (count > most || bytes > mostBytes || tooOld) {
                // the file first: without it the rest is of no use, and nothing counts what has no file
                Files.deleteIfExists(capture.path());
                Files.deleteIfExists(CaptureFile.digest(capture.path()));
                Files.deleteIfExists(beside(capture.path(), FACTS));
                removed.add(capture.path());
                bytes -= capture.bytes();
                count--;
            }
        }
        return removed;
    }

    private static Path beside(Path path, String suffix) {
        return path.resolveSibling(path.getFileName() + suffix);
    }
}
