// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.engine;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.kmorph.api.command.Column;

/** Values as a person reads them in a table, or a program in JSON. */
public final class Cells {
    private Cells() {}

    /** As in a table. */
    public static String text(Column.Kind kind, Object value) {
        if (value instanceof List<?> list) {
            return list.stream().map(String::valueOf).collect(Collectors.joining(" "));
        }
        if (value instanceof Instant instant) {
            return instant(instant.truncatedTo(ChronoUnit.SECONDS));
        }
        if (!(value instanceof Number number)) {
            return clean(String.valueOf(value));
        }
        return switch (kind) {
            case BYTES -> bytes(number.longValue());
            case MILLIS -> millis(number.doubleValue());
            case RATIO -> String.format(Locale.ROOT, "%.0f %%", number.doubleValue() * 100);
            case TEXT, NUMBER, INSTANT -> number(number);
        };
    }

    /** Text from elsewhere must not move the cursor of whoever reads it. */
    private static String clean(String text) {
        return text.replaceAll("[\\p{Cntrl}]", "?");
    }

    static String bytes(long value) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
        double scaled = value;
        int unit = 0;
        while (Math.abs(scaled) >= 1024 && unit < units.length - 1) {
            scaled /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 || scaled >= 100 ? "%.0f %s" : "%.1f %s", scaled, units[unit]);
    }

    private static String millis(double value) {
        if (value < 1) {
            return String.format(Locale.ROOT, "%.3f ms", value);
        }
        if (value < 1_000) {
            return String.format(Locale.ROOT, "%.1f ms", value);
        }
        if (value < 60_000) {
            return String.format(Locale.ROOT, "%.1f s", value / 1_000);
        }
        long seconds = (long) (value / 1_000);
        long days = seconds / 86_400;
        String clock =
                String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        return days == 0 ? clock : days + "d " + clock;
    }

    private static String number(Number number) {
        return number instanceof Double value ? String.format(Locale.ROOT, "%.3f", value) : number.toString();
    }

    /** ISO 8601 with the zone of this machine. */
    static String instant(Instant instant) {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(instant.atZone(ZoneId.systemDefault()));
    }

    /** As in JSON and YAML: numbers, booleans, text, lists and maps of such. */
    static Object plain(Object value) {
        if (value instanceof Number || value instanceof Boolean || value instanceof String) {
            return value;
        }
        if (value instanceof Instant instant) {
            return instant(instant);
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Cells::plain).toList();
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> plain = new java.util.LinkedHashMap<>();
            map.forEach((key, inner) -> plain.put(String.valueOf(key), plain(inner)));
            return plain;
        }
        return String.valueOf(value);
    }
}
