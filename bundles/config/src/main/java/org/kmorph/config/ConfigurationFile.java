// SPDX-License-Identifier: Apache-2.0
package org.kmorph.config;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One file: lines {@code key = value}; {@code #} begins a comment line; {@code ${name}} in a value is a property of the framework.
 *
 * @param values by key
 * @param lines where each key stands, from 1
 */
record ConfigurationFile(Map<String, String> values, Map<String, Integer> lines) {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Za-z0-9.]+)}");

    /** A file of this size is no configuration. */
    private static final long MAX_BYTES = 1 << 20;

    /**
     * @param properties answers the framework's properties, null for none of that name
     * @throws RefusedException for a line that is none of these, a key that stands twice, or an unknown variable
     */
    static ConfigurationFile read(Path file, UnaryOperator<String> properties) throws RefusedException, IOException {
        Map<String, String> values = new TreeMap<>();
        Map<String, Integer> lines = new TreeMap<>();
        List<String> text = lines(file);
        for (int number = 1; number <= text.size(); number++) {
            String line = text.get(number - 1).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            if (equals < 1) {
                throw new RefusedException(
                        "line " + number + " is \"" + line + "\"; expected KEY = VALUE, or # before a comment");
            }
            String key = line.substring(0, equals).strip();
            if (lines.putIfAbsent(key, number) != null) {
                throw new RefusedException(
                        "line " + number + ": " + key + " stands in line " + lines.get(key) + " already");
            }
            values.put(key, expand(number, line.substring(equals + 1).strip(), properties));
        }
        return new ConfigurationFile(values, lines);
    }

    private static List<String> lines(Path file) throws RefusedException, IOException {
        if (Files.size(file) > MAX_BYTES) {
            throw new RefusedException("it has " + Files.size(file) + " bytes; expected less than " + MAX_BYTES);
        }
        try {
            return Files.readAllLines(file);
        } catch (MalformedInputException e) {
            throw new RefusedException("it is not text in UTF-8");
        }
    }

    private static String expand(int line, String value, UnaryOperator<String> properties) throws RefusedException {
        Matcher matcher = VARIABLE.matcher(value);
        StringBuilder expanded = new StringBuilder();
        while (matcher.find()) {
            String replacement = properties.apply(matcher.group(1));
            if (replacement == null) {
                throw new RefusedException("line " + line + ": there is no variable " + matcher.group());
            }
            matcher.appendReplacement(expanded, Matcher.quoteReplacement(replacement));
        }
        return matcher.appendTail(expanded).toString();
    }
}
