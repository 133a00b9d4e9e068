// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import org.kmorph.api.command.ValueType;
import org.kmorph.api.policy.Quantities;

/** Reads values as {@link ValueType} says. Every failure says what was expected. */
final class Values {
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
        return Quantities.span(text);
    }

    static Instant instant(String text, Instant now) {
        if (Quantities.isSpan(text)) {
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
        return Quantities.bytes(text);
    }

    static Path path(Path workingDirectory, String text) {
        try {
            return workingDirectory.resolve(text).normalize();
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("expected a file's path", e);
        }
    }
}
