// SPDX-License-Identifier: Apache-2.0
package org.kmorph.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What {@code etc/kmorphd.conf} says. Lines are {@code key = value}, {@code #} begins a comment line; {@code bin/kmorphd} reads
 * some of the same keys with sed, so nothing cleverer than that is allowed in the file.
 *
 * @param home the unpacked distribution
 * @param etc the directory of the settings file
 */
record Settings(Path home, Path etc, Path deploy, Path state, Path cache, Path log, Path run, Duration startTimeout) {

    private static final Set<String> KEYS =
            Set.of("state", "cache", "log", "run", "deploy", "heap", "compiler.level", "start.timeout");

    static Settings read(Path home, Path file) throws StartException {
        Map<String, String> values = parse(file);
        return new Settings(
                home,
                file.getParent(),
                directory(home, file, values, "deploy"),
                directory(home, file, values, "state"),
                directory(home, file, values, "cache"),
                directory(home, file, values, "log"),
                directory(home, file, values, "run"),
                startTimeout(file, values.getOrDefault("start.timeout", "60")));
    }

    private static Map<String, String> parse(Path file) throws StartException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new StartException("configuration file " + file + " cannot be read: " + e.getMessage(), e);
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (int number = 1; number <= lines.size(); number++) {
            String line = lines.get(number - 1).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            String key = equals < 0 ? line : line.substring(0, equals).strip();
            if (equals < 0 || !KEYS.contains(key)) {
                throw new StartException(
                        file + ", line " + number + ": \"" + line + "\" is not a setting; expected KEY = VALUE"
                                + " with one of " + String.join(", ", new TreeSet<>(KEYS)));
            }
            values.put(key, line.substring(equals + 1).strip());
        }
        return values;
    }

    private static Path directory(Path home, Path file, Map<String, String> values, String key) throws StartException {
        String value = values.getOrDefault(key, "${home}/" + key);
        Path path = Path.of(value.startsWith("${home}") ? home + value.substring("${home}".length()) : value);
        if (!path.isAbsolute()) {
            throw new StartException(
                    file + ": " + key + " = " + value + " is a relative path; begin it with / or with ${home}/");
        }
        return path.normalize();
    }

    private static Duration startTimeout(Path file, String value) throws StartException {
        if (!value.matches("[1-9][0-9]{0,3}")) {
            throw new StartException(
                    file + ": start.timeout = " + value + " is not a number of seconds from 1 to 9999");
        }
        return Duration.ofSeconds(Long.parseLong(value));
    }
}
