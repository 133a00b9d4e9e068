// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.policy;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times and sizes as people write them. */
public final class Quantities {
    private static final Pattern SPAN = Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,9})?)(ms|s|m|h|d)?");
    private static final Pattern BYTES = Pattern.compile("([0-9]{1,15})([KMGT]?)(?:i?B)?");
    private static final String POWERS = " KMGT";

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

    private Quantities() {}

    /** Whether it is written as a span of time, though it may be too long for one. */
    public static boolean isSpan(String text) {
        return SPAN.matcher(text).matches();
    }

    /** {@code 250ms}, {@code 10s}, {@code 10m}, {@code 2h}, {@code 7d}; a bare number is seconds. @throws IllegalArgumentException */
    public static Duration span(String text) {
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

    /** As {@link #span} reads it, to the nanosecond: in the longest unit that leaves a whole number, or seconds with a fraction. */
    public static String span(Duration value) {
        long nanos = value.toNanos();
        for (String unit : List.of("d", "h", "m", "s", "ms")) {
            long size = SPAN_NANOS.get(unit);
            if (nanos >= size && nanos % size == 0) {
                return nanos / size + unit;
            }
        }
        return BigDecimal.valueOf(nanos, 9).stripTrailingZeros().toPlainString() + "s";
    }

    /** {@code 512}, {@code 128M}, {@code 2G}: powers of 1024. @throws IllegalArgumentException */
    public static long bytes(String text) {
        Matcher matcher = BYTES.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected bytes, as 4096, 128M or 2G (powers of 1024)");
        }
        int power = POWERS.indexOf(matcher.group(2).isEmpty() ? " " : matcher.group(2));
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (10 * power));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("expected less than 8 EiB", e);
        }
    }

    /** As {@link #bytes(String)} reads it, exactly. */
    public static String bytes(long value) {
        int power = 0;
        long left = value;
        while (left != 0 && left % 1024 == 0 && power < POWERS.length() - 1) {
            left /= 1024;
            power++;
        }
        return power == 0 ? Long.toString(left) : left + String.valueOf(POWERS.charAt(power));
    }
}
