// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * One thing that people can set, for all instances or for one. Immutable.
 *
 * @param <T> what its value is to whoever uses it
 */
public final class PolicySetting<T> {
    private static final int MAX_TEXT = 1024;

    private final String name;
    private final String summary;
    private final String takes;
    private final String standard;
    private final Map<String, String> standards;
    private final Function<String, T> reader;
    private final UnaryOperator<String> canonical;

    private PolicySetting(
            String name,
            String summary,
            String takes,
            String standard,
            Map<String, String> standards,
            Function<String, T> reader,
            UnaryOperator<String> canonical) {
        if (!name.matches("[a-z][a-z0-9]*(-[a-z0-9]+)*") || name.length() > 63) {
            throw new IllegalArgumentException("setting name \"" + name + "\" is not lower-case words with dashes");
        }
        this.name = name;
        this.summary = summary;
        this.takes = takes;
        this.reader = reader;
        this.canonical = canonical;
        this.standard = check(standard);
        Map<String, String> checked = new TreeMap<>();
        standards.forEach((profile, value) -> checked.put(profile, check(value)));
        this.standards = checked;
    }

    /** A span of time within bounds. */
    public static PolicySetting<Duration> span(
            String name, String summary, Duration standard, Duration least, Duration most) {
        String takes = "a time from " + Quantities.span(least) + " to " + Quantities.span(most);
        Function<String, Duration> reader = text -> within(Quantities.span(text), least, most);
        return new PolicySetting<>(
                name,
                summary,
                takes,
                Quantities.span(standard),
                Map.of(),
                reader,
                text -> Quantities.span(reader.apply(text)));
    }

    /** A whole number within bounds. */
    public static PolicySetting<Long> whole(String name, String summary, long standard, long least, long most) {
        Function<String, Long> reader = text -> within(Long.valueOf(text), least, most);
        return new PolicySetting<>(
                name,
                summary,
                "a whole number from " + least + " to " + most,
                Long.toString(standard),
                Map.of(),
                reader,
                text -> reader.apply(text).toString());
    }

    /** A number of bytes within bounds. */
    public static PolicySetting<Long> bytes(String name, String summary, long standard, long least, long most) {
        Function<String, Long> reader = text -> within(Quantities.bytes(text), least, most);
        return new PolicySetting<>(
                name,
                summary,
                "bytes from " + Quantities.bytes(least) + " to " + Quantities.bytes(most),
                Quantities.bytes(standard),
                Map.of(),
                reader,
                text -> Quantities.bytes(reader.apply(text)));
    }

    /** {@code enabled} or {@code disabled}. */
    public static PolicySetting<Boolean> enabled(String name, String summary, boolean standard) {
        return new PolicySetting<>(
                name,
                summary,
                "enabled or disabled",
                standard ? "enabled" : "disabled",
                Map.of(),
                text -> oneOf(List.of("enabled", "disabled"), text).equals("enabled"),
                UnaryOperator.identity());
    }

    /** One of some words. */
    public static PolicySetting<String> choice(String name, String summary, String standard, String... words) {
        List<String> known = List.of(words);
        return new PolicySetting<>(
                name,
                summary,
                String.join(" or ", known),
                standard,
                Map.of(),
                text -> oneOf(known, text),
                UnaryOperator.identity());
    }

    /**
     * Any other text of up to 1,024 characters, none of them a control character.
     *
     * @param takes what it may be, for people: {@code a path, or - for none}
     * @param reader makes of it what it is to the setting's users; throws IllegalArgumentException for what it may not be
     */
    public static <T> PolicySetting<T> text(
            String name, String summary, String takes, String standard, Function<String, T> reader) {
        Function<String, T> bounded = text -> {
            if (text.length() > MAX_TEXT || text.codePoints().anyMatch(Character::isISOControl)) {
                throw new IllegalArgumentException("over " + MAX_TEXT + " characters, or a control character");
            }
            return reader.apply(text);
        };
        return new PolicySetting<>(name, summary, takes, standard, Map.of(), bounded, UnaryOperator.identity());
    }

    /** The same with another standard value under a profile. */
    public PolicySetting<T> under(String profile, String value) {
        Map<String, String> more = new TreeMap<>(standards);
        more.put(profile, value);
        return new PolicySetting<>(name, summary, takes, standard, more, reader, canonical);
    }

    public String name() {
        return name;
    }

    /** What it decides, in one line. */
    public String summary() {
        return summary;
    }

    /** What it takes, for people: {@code a time from 30ms to 1h}. */
    public String takes() {
        return takes;
    }

    /** The value where nobody has set one. */
    public String standard() {
        return standard;
    }

    /** The value that a profile brings, if it brings one. */
    public Optional<String> standard(String profile) {
        return Optional.ofNullable(standards.get(profile));
    }

    /** @throws IllegalArgumentException when it is no value of this setting; the message names the setting and what it takes */
    public T read(String text) {
        try {
            return reader.apply(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + " is \"" + text + "\"; expected " + takes, e);
        }
    }

    /**
     * Checks a value as a person wrote it.
     *
     * @return it, written as it is kept: {@code 5} seconds as {@code 5s}
     * @throws IllegalArgumentException as {@link #read}
     */
    public String check(String text) {
        read(text);
        return canonical.apply(text);
    }

    private static <N extends Comparable<N>> N within(N value, N least, N most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException("out of bounds");
        }
        return value;
    }

    private static String oneOf(List<String> words, String text) {
        if (!words.contains(text)) {
            throw new IllegalArgumentException("none of these words");
        }
        return text;
    }
}
