// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.math.BigDecimal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.kmorph.api.command.ValueType;

/** Reads values as {@link ValueType} says. Every failure says what was expected. */
final class Values {
    private static final Pattern SPAN = Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,9})?)(ms|s|m|h|d)?");
    private static final Map<String, Long> SPAN_NANOS = Map.of(
            "ms",
            1_000_000L,
            "s",
            1_000_000_000L,
            "m",
            60_000_000_000L,
            "h",
            3_600_000_000_000L,
            "d",
            86_400_000_000_000L);

    private static final Pattern BYTES = Pattern.compile("([0-9]{1,15})([KMGT]?)(?:i?B)?");

    private Values() {}

    /** @throws IllegalArgumentException when the text is no value of the type; the message says what is */
    static void check(ValueType type, String text) {
        switch (type) {
            case BOOLEAN -> bool(text);
            case INTEGER -> integer(text);
            case DURATION -> duration(text);
            case INSTANT -> instant(text, Instant.EPOCH);
            case BYTES -> bytes(text);
            case PATH -> path(Path.of("/"), text);
            case FLAG, TEXT, CHOICE -> {
                // any text; choices are checked against their list
            }
        }
    }

    static boolean bool(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("expected true or false");
        };
    }

    static long integer(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("expected a whole number", e);
        }
    }

    static Duration duration(String text) {
        Matcher matcher = SPAN.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "expected a time as 250ms, 10s, 10m, 2h or 7d (a bare number is seconds)");
        }
        BigDecimal unit = BigDecimal.valueOf(SPAN_NANOS.get(matcher.group(2) == null ? "s" : matcher.group(2)));
        try {
            return Duration.ofNanos(new BigDecimal(matcher.group(1))
                    .multiply(unit)
                    .toBigInteger()
                    .longValueExact());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("expected a time of less than 292 years", e);
        }
    }

    static Instant instant(String text, Instant now) {
        if (SPAN.matcher(text).matches()) {
            return now.minus(duration(text));
        }
        try {
            if (text.length() == 10) {
                return LocalDate.parse(text)
                        .atStartOfDay(ZoneId.systemDefault())
                        .toInstant();
            }
            return text.matches(".*(Z|[+-][0-9:]+)$") && text.contains("T")
                    ? OffsetDateTime.parse(text).toInstant()
                    : LocalDateTime.parse(text).atZone(ZoneId.systemDefault()).toInstant();
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "expected a moment in ISO 8601, as 2026-05-01T12:00:00Z or 2026-05-01, or a time ago, as 10m", e);
        }
    }

    static long bytes(String text) {
        Matcher matcher = BYTES.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected bytes, as 4096, 128M or 2G (powers of 1024)");
        }
        int power = " KMGT".indexOf(matcher.group(2).isEmpty() ? " " : matcher.group(2));
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (10 * power));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("expected less than 8 EiB", e);
        }
    }

    static Path path(Path workingDirectory, String text) {
        try {
            return workingDirectory.resolve(text).normalize();
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("expected a file's path", e);
        }
    }
}
